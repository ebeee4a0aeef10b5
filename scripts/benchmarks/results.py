"""The result of a benchmark: tables of plain values, with the command and the machine, saved as JSON."""

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
"""One row of a table; values that were not measured are None or missing."""
Tables = Mapping[str, list[Row]]


def this_machine() -> str:
    """Describe this machine and the numerical libraries."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    return f"{os.cpu_count()} cores of {_cpu()}, {_system()}, Python {platform.python_version()}, {libraries}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


@dataclass(frozen=True)
class Result:
    """The result of a benchmark.

    Attributes
    ----------
    command : str
        The command that repeats the measurement.
    machine : str
    tables : mapping of str to list of mappings
    note : str
        A remark on this run, in Markdown.
    """

    command: str
    machine: str
    tables: Tables
    note: str = ""

    def save(self, path: Path) -> None:
        """Write the result with one row per line, so that a changed figure is one changed line."""
        tables = (f"{json.dumps(name)}: [\n{_lines(rows)}\n]" for name, rows in self.tables.items())
        facts = {"command": self.command, "machine": self.machine, "note": self.note}
        lines = [
            f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items()
        ]
        text = ",\n".join([*lines, '"tables": {\n' + ",\n".join(tables) + "\n}"])
        path.write_text(f"{{\n{text}\n}}\n", "utf-8", newline="\n")

    @classmethod
    def load(cls, path: Path) -> "Result":
        """Read a result."""
        return cls(**json.loads(path.read_text("utf-8")))


def _lines(rows: Iterable[Row]) -> str:
    return ",\n".join(
        json.dumps({key: _short(value) for key, value in row.items()}, ensure_ascii=False) for row in rows
    )


def _short(value: Any) -> Any:
    """Return a value with at most four digits, more than a second run reproduces; NaN becomes None for JSON."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--json` and `--note` to the arguments of a benchmark."""
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="save the result for scripts/performance.py"
    )
    parser.add_argument("--note", default="", metavar="TEXT", help="a remark for the page")


_KEPT_APART = ("--json", "--note", "--tuned")


def keep(options: argparse.Namespace, tables: Tables) -> None:
    """Write the result of a benchmark to the file in `--json`."""
    if options.json:
        Result(_command(sys.argv), this_machine(), tables, options.note).save(options.json)


def _command(words: list[str]) -> str:
    """Return the command line without `--json`, `--note` and other options about saving."""
    kept, rest = [], iter(words[1:])
    for word in rest:
        if word in _KEPT_APART:
            next(rest)
        elif not word.startswith(tuple(f"{option}=" for option in _KEPT_APART)):
            kept.append(word)
    return " ".join(["python", f"scripts/{Path(words[0]).name}", *kept])
