"""README and docs are correct: code blocks run, command lines parse, links have targets."""

import re
from pathlib import Path

import click
import numpy as np
import pytest

import reverb
from reverb.cli.app import cli
from tests.cli.running import succeed
from tests.conftest import ROOT, MakeSound
from tests.docs.pages import PAGES, commands, runnable, script
from tests.signals import decaying, noise

RUN = [page for page in PAGES if runnable(page)]
NAMES = ("dry.wav", "in.wav", "voice.flac", "drums.wav", "guitar.flac")


@pytest.fixture
def folder(tmp_path: Path, make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with the recordings named on the pages."""
    monkeypatch.chdir(tmp_path)
    sound = 0.2 * noise(12_000, 2)
    for name in NAMES:
        make_sound(name, sound, 48_000, subtype="PCM_16")
    make_sound(
        "my_room.wav", sound * np.exp(-np.arange(12_000) / 1500)[:, np.newaxis], 48_000, subtype="FLOAT"
    )
    # A church of half a second takes precedence over the bundled one, to save time.
    short = decaying(24_000, 2)
    (tmp_path / "library").mkdir()
    make_sound("library/church.wav", short, 48_000, subtype="FLOAT")
    monkeypatch.setenv("REVERB_IMPULSES", str(tmp_path / "library"))
    (tmp_path / "takes").mkdir()
    make_sound("takes/one.wav", sound, 48_000, subtype="PCM_16")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page: Path) -> None:
    for block in runnable(page):
        if block.language == "python":
            exec(compile(block.text, page.name, "exec"), {"__name__": page.stem})
        elif block.language == "sh":
            for words in script(block):
                succeed(*words)
        else:
            Path(block.name).write_text(block.text, "utf-8")


def test_the_pages_are_found() -> None:
    assert {"README.md", "tutorial.md", "realtime.md"} <= {page.name for page in RUN}
    assert sum(len(list(commands(page))) for page in PAGES) > 60


@pytest.mark.parametrize("page", [page for page in PAGES if list(commands(page))], ids=lambda page: page.name)
def test_every_command_line_is_understood(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, options and values are parsed as if the command ran; files need not exist."""
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: value)  # noqa: ARG005  # as click calls it
    for words in commands(page):
        group: click.Command = cli
        context = click.Context(cli, info_name="reverb", **cli.context_settings)
        while isinstance(group, click.Group) and words and not words[0].startswith("-"):
            found = group.get_command(context, words[0])
            assert found is not None, f"reverb {' '.join(words)}"
            group, words = found, words[1:]
            if not isinstance(group, click.Group):
                group.make_context(group.name, list(words), parent=context)
            context = click.Context(group, info_name=group.name, parent=context)


OTHER_PAGES = [ROOT / "examples" / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES], ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("http"):
            continue
        file, _, heading = target.partition("#")
        path = page.parent / file if file else page
        if path.name in MADE and path.parent == ROOT / "docs":
            continue
        assert path.exists(), f"{page.name} links to {target}"
        if heading:
            assert heading in _headings(path), f"{page.name} links to {target}"


def _headings(path: Path) -> set[str]:
    """Return the anchors of a page's headings: lower case, without punctuation, hyphens for spaces."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title).strip().lower().replace(" ", "-") for title in titles}


MADE = {"cli.md", "api.md", "changelog.md", "contributing.md", "security.md", "impulses.md"}
"""Pages of the site made by scripts/docsite."""


def test_the_site_shows_every_page() -> None:
    shown = set(re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} | MADE == shown


def test_the_command_line_reference_has_every_command() -> None:
    from docsite import cli_reference

    page = cli_reference.page()
    for words in ("apply", "filter lowpass", "ir edit", "live", "studio"):
        assert f"\n## reverb {words}\n" in page
    assert "```text\nreverb apply dry.wav wet.wav --ir church\n" in page
    assert "\b" not in page


def test_the_python_reference_has_every_public_name() -> None:
    from docsite import api_reference

    shown = {address.rpartition(".")[2] for _, _, names in api_reference.groups() for address in names}
    assert shown == set(reverb.__all__)
    for package, names in api_reference.MODULES.values():
        for name in names:
            module, _, attribute = f"{package}.{name}".rpartition(".")
            assert hasattr(__import__(module, fromlist=[attribute]), attribute), name


def test_the_picture_of_the_house_shows_the_packages_there_are() -> None:
    from docsite import house

    from reverb.plots.figures import LIGHT

    packages = {name for _, _, row in house.floors() for name in row}
    there = {path.stem for path in (ROOT / "reverb").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert packages == there - {
        "__init__",
        "__main__",
        "__distribution__",
        "__pycache__",
        "py",
        "impulses",
        "presets",
    }
    drawn = (ROOT / "docs" / "images" / "house.svg").read_text("utf-8")
    assert drawn == house.draw(LIGHT), "draw it again: python scripts/draw_figures.py docs/images"
