"""The types that users see: mypy finds their slips, and nothing but them; words are stated once."""

import inspect
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import reverb
import reverb.live
from reverb.live.settings import LiveChanges, LiveSettings
from reverb.render.settings import RenderKeywords, RenderSettings
from tests.conftest import ROOT

HERE = Path(__file__).parent
_ERROR = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")


@pytest.fixture(scope="module")
def found() -> set[tuple[str, int, str]]:
    """Return what mypy has to say about both files of calls: file, line, code."""
    pytest.importorskip("mypy")
    files = [HERE / "wrong_calls.py", HERE / "right_calls.py"]
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-pretty", "--no-error-summary", "--hide-error-context", *files],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    lines = [line for line in result.stdout.splitlines() if ": note: " not in line]
    matches = [_ERROR.match(line) for line in lines]
    assert None not in matches, result.stdout
    return {(Path(m["file"]).name, int(m["line"]), m["code"]) for m in matches if m}


def test_each_slip_is_found_and_nothing_else(found: set[tuple[str, int, str]]) -> None:
    marked = {
        ("wrong_calls.py", number, line.rpartition("# wrong: ")[2])
        for number, line in enumerate((HERE / "wrong_calls.py").read_text("utf-8").splitlines(), 1)
        if "# wrong: " in line
    }
    assert marked
    assert found == marked


def test_right_calls_are_right_at_run_time_too() -> None:
    runpy.run_path(str(HERE / "right_calls.py"))


@pytest.mark.parametrize(("given", "whole"), [(RenderKeywords, RenderSettings), (LiveChanges, LiveSettings)])
def test_keywords_that_are_passed_on_are_those_of_the_settings(given: type, whole: type) -> None:
    assert get_type_hints(given) == get_type_hints(whole)


def _public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Give all public classes and functions, and the methods of the classes."""
    for module in (reverb, reverb.live):
        for name in module.__all__:
            thing = getattr(module, name)
            yield name, thing
            for method, value in vars(thing).items() if inspect.isclass(thing) else ():
                if inspect.isfunction(value) and not method.startswith("_"):
                    yield f"{name}.{method}", value


def _words(hint: object) -> set[str]:
    """Return the words of a Literal, also one that is a part of a union."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*map(_words, get_args(hint)))


PUBLIC = dict(_public())
WORDED = [
    (name, parameter, words)
    for name, thing in PUBLIC.items()
    for parameter, words in re.findall(r"^ *(\w+) : \{(.*?)\}", inspect.getdoc(thing) or "", re.MULTILINE)
]


@pytest.mark.parametrize(("name", "parameter", "words"), WORDED)
def test_a_parameter_of_a_few_words_is_a_literal_of_these(name: str, parameter: str, words: str) -> None:
    thing = PUBLIC[name]
    hints = get_type_hints(thing.__init__ if inspect.isclass(thing) and not is_dataclass(thing) else thing)
    assert _words(hints[parameter]) == set(re.findall(r"""['"](.*?)['"]""", words))


def test_there_are_parameters_of_a_few_words() -> None:
    assert {(name, parameter) for name, parameter, _ in WORDED} >= {
        ("Convolver", "fft"),
        ("Convolver.swap", "mode"),
        ("Convolver.swap", "curve"),
        ("Reverb", "level"),
        ("convolve", "mode"),
        ("process_file", "normalize"),
    }


@pytest.mark.parametrize("name", PUBLIC)
def test_help_names_types_as_they_are_written(name: str) -> None:
    """An unfolded ArrayLike fills a screen."""
    thing = PUBLIC[name]
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        signature = inspect.signature(thing)
        for annotation in (
            signature.return_annotation,
            *(p.annotation for p in signature.parameters.values()),
        ):
            assert annotation in (None, inspect.Signature.empty) or isinstance(annotation, str)
