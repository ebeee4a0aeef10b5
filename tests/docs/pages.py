"""Read the fenced blocks and command lines of the pages."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = "# not in the tests: "
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVED = re.compile(r"[Ss]ave this as `([^`]+)`")
_INDENTED = re.compile(r"^ {4}(reverb .*)$", re.MULTILINE)
_TESTED_ELSEWHERE = ("cookbook.md", "presets.md")  # by test_cookbook


class Block(NamedTuple):
    """A fenced block; `name` is the file name that the page gives for it."""

    language: str
    text: str
    name: str

    @property
    def runs(self) -> bool:
        return not self.text.startswith(NOT_RUN)


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found, before = [], 0
    for match in _BLOCK.finditer(text):
        names = _SAVED.findall(text, before, match.start())
        found.append(Block(match[1], match[2], names[-1] if names else ""))
        before = match.end()
    return found


def runnable(page: Path) -> list[Block]:
    """Return the blocks of a page that its test runs, in order."""
    if page.name in _TESTED_ELSEWHERE:
        return []
    found = blocks(page)
    return [block for block in found if block.runs and (block.language in ("python", "sh") or block.name)]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield every command line of a page, as the words after `reverb`, without forms with [..] or CAPITALS."""
    lines = _INDENTED.findall(page.read_text("utf-8"))
    for block in blocks(page):
        if block.language == "sh":
            lines += [line for line in block.text.splitlines() if line.startswith("reverb ")]
    for line in lines:
        if not re.search(r"\[[a-zA-Z]|\b[A-Z]{4,}\b", line.split("#")[0]):
            yield _command(line)[1:]


def _command(line: str) -> list[str]:
    words = shlex.split(re.split(r"\s{3,}", line)[0], comments=True)
    return words


def script(block: Block) -> Iterator[list[str]]:
    """Yield the commands of a shell block, one per line; only `reverb` is allowed."""
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words:
            assert words[0] == "reverb", f"{line}: mark the block with {NOT_RUN!r}"
            yield words[1:]
