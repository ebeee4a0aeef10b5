"""What may be moved while it plays, and by whom: the parameters that keys, OSC and MIDI share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reverb.errors import ParameterError, ReverbError


class Controllable(Protocol):
    """What a controller needs of a session."""

    mix: float | None
    wet: float
    dry: float
    gain: float
    bypass: bool
    mute: bool

    @property
    def started(self) -> bool:
        """Whether anything can be moved yet."""
        ...

    @property
    def responses(self) -> Sequence[str]:
        """The responses that may be chosen, in their order."""
        ...

    def request(self, response: str) -> None:
        """Ask for a response by name; it is prepared in the background."""
        ...

    def step(self, by: int) -> None:
        """Ask for the response that many places further."""
        ...

    def toggle_recording(self) -> None:
        """Start or stop recording."""
        ...

    def tell(self, message: str) -> None:
        """Show a message to the user."""
        ...


@dataclass(frozen=True)
class Parameter:
    """A parameter's range.

    Attributes
    ----------
    low, high : float
        In its unit; a level in dB at `low` means silence.
    unit : {'', 'dB', 'switch'}
    """

    low: float
    high: float
    unit: str

    def at(self, share: float) -> float:
        """Return the value at a share of the way from `low` to `high`, as a fader of 0 to 1 gives it."""
        if self.unit == "switch":
            return float(share >= 0.5)
        if self.unit == "dB" and share <= 0.0:
            return -math.inf
        return self.low + share * (self.high - self.low)


PARAMETERS = {
    "mix": Parameter(0.0, 1.0, ""),
    "wet": Parameter(-60.0, 6.0, "dB"),
    "dry": Parameter(-60.0, 6.0, "dB"),
    "gain": Parameter(-60.0, 12.0, "dB"),
    "bypass": Parameter(0.0, 1.0, "switch"),
    "mute": Parameter(0.0, 1.0, "switch"),
}


def set_parameter(session: Controllable, name: str, value: float) -> None:
    """Set a parameter of a session, held to its range.

    Raises
    ------
    ParameterError
        If there is no such parameter, or the value is not a number.
    """
    if name not in PARAMETERS:
        raise ParameterError(f"parameter {name!r}; expected one of {', '.join(PARAMETERS)}")
    parameter = PARAMETERS[name]
    if math.isnan(value):
        raise ParameterError(f"{name} is not a number; expected {parameter.low:g} to {parameter.high:g}")
    if parameter.unit == "switch":
        setattr(session, name, value >= 0.5)
    else:
        silent = parameter.unit == "dB" and value <= parameter.low
        setattr(session, name, -math.inf if silent else min(max(value, parameter.low), parameter.high))


def turn(session: Controllable, name: str, value: float) -> None:
    """Set a parameter, or tell the user why it stays: for keys and knobs, which take no errors."""
    try:
        set_parameter(session, name, value)
    except ReverbError as error:
        session.tell(str(error))


def choose(session: Controllable, number: int) -> None:
    """Ask for the response of a number, counted from 0; numbers beyond the last mean the last."""
    if session.responses:
        session.request(session.responses[min(max(number, 0), len(session.responses) - 1)])
