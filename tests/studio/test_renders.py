"""Renders in the background: failures, and limits of the queue and of ended renders."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs Starlette (extra studio)")

from reverb.errors import ParameterError, UnknownNameError
from reverb.render.files import RenderReport
from reverb.render.job import Progress
from reverb.studio import renders as module
from reverb.studio.renders import Renders


@pytest.fixture
def renders() -> Iterator[Renders]:
    pool = Renders()
    yield pool
    pool.close()


def ended(renders: Renders, id: str) -> str:
    deadline = time.monotonic() + 30
    while not renders.get(id).ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return renders.get(id).state


def refused(_path: Path, _progress: Progress) -> RenderReport:
    raise ParameterError("no such thing")


def test_a_failure_is_a_state_with_its_reason(renders: Renders, tmp_path: Path) -> None:
    id = renders.add("a.wav", tmp_path / "a.wav", refused)
    assert ended(renders, id) == "failed"
    facts = renders.facts(id)
    assert (facts["error"], facts["report"], facts["name"]) == ("no such thing", None, "a.wav")


def test_a_full_queue_is_an_error(renders: Renders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_WAITING", 3)
    release = threading.Event()

    def wait(_path: Path, _progress: Progress) -> RenderReport:
        assert release.wait(30)
        raise ParameterError("released")

    ids = [renders.add(f"{n}.wav", tmp_path / f"{n}.wav", wait) for n in range(3)]
    with pytest.raises(ParameterError, match="3 renders are waiting already"):
        renders.add("d.wav", tmp_path / "d.wav", wait)
    release.set()
    assert [ended(renders, id) for id in ids] == ["failed"] * 3


def test_of_the_ended_renders_only_the_newest_are_kept(
    renders: Renders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 2)
    ids = []
    for n in range(4):
        path = tmp_path / f"{n}.wav"
        path.write_bytes(b"sound")
        ids.append(renders.add(path.name, path, refused))
        ended(renders, ids[-1])
    with pytest.raises(UnknownNameError, match="this render is gone"):
        renders.get(ids[0])
    assert not (tmp_path / "0.wav").exists()
    assert renders.get(ids[3]).path.exists()
