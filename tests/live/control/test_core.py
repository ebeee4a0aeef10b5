"""The parameters that keys, OSC and MIDI share."""

import pytest

from reverb.errors import ParameterError
from reverb.live.control.core import PARAMETERS, request_number, set_parameter
from tests.live.control.fakes import ControlledSession

INF = float("inf")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("mix", 0.5, 0.5),
        ("mix", 7.0, 1.0),
        ("mix", -1.0, 0.0),
        ("wet", -12.0, -12.0),
        ("wet", -60.0, -INF),
        ("dry", -INF, -INF),
        ("gain", 99.0, 12.0),
        ("bypass", 1.0, True),
        ("mute", 0.2, False),
    ],
)
def test_parameters_are_held_to_their_range(name: str, value: float, expected: object) -> None:
    session = ControlledSession()
    set_parameter(session, name, value)
    assert getattr(session, name) == expected


def test_what_is_no_parameter_or_no_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="parameter is 'volume'; expected 'mix' or"):
        set_parameter(ControlledSession(), "volume", 1.0)
    with pytest.raises(ParameterError, match="mix is nan; expected a number"):
        set_parameter(ControlledSession(), "mix", float("nan"))


def test_faders_reach_both_ends() -> None:
    assert PARAMETERS["mix"].at(0.0) == 0.0
    assert PARAMETERS["mix"].at(1.0) == 1.0
    assert PARAMETERS["wet"].at(0.0) == -INF
    assert PARAMETERS["wet"].at(1.0) == 6.0
    assert PARAMETERS["bypass"].at(0.6) == 1.0


def test_choosing_by_number() -> None:
    session = ControlledSession()
    for number in (1, 99, -3):
        request_number(session, number)
    assert session.asked == ["b", "c", "a"]
