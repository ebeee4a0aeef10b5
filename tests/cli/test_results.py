"""Tables, numbers and reports as commands print them."""

import json

import pytest

from reverb.cli.results import ReportOptions, clock, number, show_csv, show_table

BAND = {"label": "1 kHz", "coherence": 0.9994, "energy": -31.6, "covered": 0.5}


def test_columns_are_as_wide_as_their_longest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([("a", "b", ""), ("longer", "c", "d")])
    assert capsys.readouterr().out == "a       b\nlonger  c  d\n"


def test_none_is_an_empty_cell(capsys: pytest.CaptureFixture[str]) -> None:
    show_csv([("a", "b"), (1.5, None)])
    assert capsys.readouterr().out == "a,b\n1.5,\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.25, "1.2"), (-0.04, "0.0"), (None, "-"), (float("nan"), "-"), (float("inf"), "-"), (3, "3.0")],
)
def test_numbers_have_fixed_digits_and_zero_no_sign(value: float | None, text: str) -> None:
    assert number(value, 1) == text


def test_durations_are_minutes_and_seconds() -> None:
    assert clock(0.1559) == "0:00.156"
    assert clock(61.5) == "1:01.500"


def test_a_report_is_a_table_with_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    ReportOptions(as_json=False, force=False, quiet=False).show({"delay (ms)": 3.0}, ("too short",), [BAND])
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "delay (ms)  3.0",
        "",
        "band   coherence  music (dB)  covered",
        "1 kHz  0.999      -32         50 %",
    ]
    assert printed.err == "Warning: too short\n"


def test_a_quiet_report_is_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    ReportOptions(as_json=False, force=False, quiet=True).show({"delay (ms)": 3.0}, ("too short",))
    assert capsys.readouterr() == ("", "Warning: too short\n")


def test_a_report_as_json_contains_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    ReportOptions(as_json=True, force=False, quiet=False).show({"delay (ms)": 3.0}, ("too short",), [BAND])
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"delay (ms)": 3.0, "bands": [BAND], "objections": ["too short"]}
    assert printed.err == ""
