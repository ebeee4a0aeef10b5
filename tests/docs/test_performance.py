"""The performance page comes from saved results only, and results are saved as measured."""

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["docs/performance.md", "README.md"])
def test_the_page_tells_what_is_kept(name: str) -> None:
    import performance

    page = (ROOT / name).read_text("utf-8")
    assert page == performance.pages()[name], "write it again: python scripts/performance.py"


def test_a_changed_figure_changes_both_pages() -> None:
    from benchmarks import page

    results = page.read()
    before = page.written(results), page.summary(results)
    row = next(
        row for row in results["realtime"].tables["blocks"] if row["block"] == 128 and row["response_s"] == 4
    )
    row["cpu_us"] = 77.7  # type: ignore[index]
    for old, new in zip(before, (page.written(results), page.summary(results)), strict=True):
        assert "77.7 µs" not in old
        assert "77.7 µs" in new


def test_every_command_on_the_page_is_a_script_with_these_options() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    commands = re.findall(r"^    python (scripts/bench_\w+\.py)(.*)$", page, re.MULTILINE)
    assert len(commands) == 6
    for script, options in commands:
        text = (ROOT / script).read_text("utf-8")
        assert all(f'"{option}"' in text for option in re.findall(r"--\w+", options))


def test_a_benchmark_keeps_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import bench_convolve
    from benchmarks.results import Result

    path = tmp_path / "kept.json"
    words = ["--taps", "64", "--channels", "1", "--seconds", "0.2", "--rounds", "1"]
    monkeypatch.setattr(
        sys, "argv", ["/somewhere/bench_convolve.py", *words, "--json", str(path), "--note", "Quick."]
    )
    bench_convolve.main()
    result = Result.load(path)
    assert result.command == f"python scripts/bench_convolve.py {' '.join(words)}"
    assert result.note == "Quick."
    assert "Python" in result.machine
    printed = re.findall(r"^\| 64 \| 1 \| (.+?) \| .* \| (\S+) \|$", capsys.readouterr().out, re.MULTILINE)
    rows = result.tables["arrays"]
    assert [name for name, _ in printed] == [row["peer"] for row in rows]
    assert [float(null) for _, null in printed] == pytest.approx([row["null_db"] for row in rows], abs=0.6)
    assert str(tmp_path) not in path.read_text("utf-8")
