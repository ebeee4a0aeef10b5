"""Hooks for mkdocs: pages made from the code, and the dark versions of pictures."""

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]  # mkdocs loads this file by its path

from docsite import api_reference, cli_reference  # noqa: E402  # needs that path

PICTURE = re.compile(r"!\[([^\]]*)\]\(((images/[\w-]+)\.svg)\)")
ELSEWHERE = {
    "(../CHANGELOG.md": "(changelog.md",
    "(../impulses/README.md": "(impulses.md",
    "(../README.md": "(index.md",
    "(../CONTRIBUTING.md": "(contributing.md",
    "(SECURITY.md": "(security.md",
    "](docs/": "](",  # on pages outside docs/
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not files in docs/."""
    made = {
        "cli.md": cli_reference.page(),
        "api.md": api_reference.page(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text("utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
        "security.md": (ROOT / "SECURITY.md").read_text("utf-8"),
        "impulses.md": (ROOT / "impulses" / "README.md").read_text("utf-8"),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001  # as mkdocs calls it
    """Replace links that leave docs/, and show pictures in the reader's color scheme."""
    for link, inside in ELSEWHERE.items():
        markdown = markdown.replace(link, inside)
    return PICTURE.sub(_with_twin, markdown)


def _with_twin(picture: re.Match[str]) -> str:
    text, light, stem = picture.groups()
    if not (ROOT / "docs" / f"{stem}-dark.svg").is_file():
        return picture[0]
    return f"![{text}]({light}#only-light)![{text}]({stem}-dark.svg#only-dark)"
