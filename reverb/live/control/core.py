"""The parameters of a session that keys, OSC and MIDI set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reverb.checks import in_range, one_of
from reverb.errors import ReverbError


class Controllable(Protocol):
    """The part of a session that keys, OSC and MIDI use."""

    mix: float | None
    wet: float
    dry: float
    gain: float
    bypass: bool
    mute: bool

    @property
    def started(self) -> bool:
        """Whether the session has started; before that, nothing can be set."""
        ...

    @property
    def responses(self) -> Sequence[str]:
        """The names of the available responses, in their order."""
        ...

    def request(self, response: str) -> None:
        """Request a response by name; it is prepared in the background."""
        ...

    def step(self, by: int) -> None:
        """Request the response that many places further on."""
        ...

    def toggle_recording(self) -> None:
        """Start or stop recording."""
        ...

    def tell(self, message: str) -> None:
        """Show a message to the user."""
        ...


@dataclass(frozen=True)
class Parameter:
    """The range of a parameter.

    Attributes
    ----------
    low, high : float
        In the unit; a level in dB is silent at `low`.
    unit : {'', 'dB', 'switch'}
    """

    low: float
    high: float
    unit: str

    def at(self, position: float) -> float:
        """Return the value for the position of a fader, 0 (`low`) to 1 (`high`)."""
        if self.unit == "switch":
            return float(position >= 0.5)
        if self.unit == "dB" and position <= 0.0:
            return -math.inf
        return self.low + position * (self.high - self.low)


PARAMETERS = {
    "mix": Parameter(0.0, 1.0, ""),
    "wet": Parameter(-60.0, 6.0, "dB"),
    "dry": Parameter(-60.0, 6.0, "dB"),
    "gain": Parameter(-60.0, 12.0, "dB"),
    "bypass": Parameter(0.0, 1.0, "switch"),
    "mute": Parameter(0.0, 1.0, "switch"),
}


def set_parameter(session: Controllable, name: str, value: float) -> None:
    """Set a parameter of a session; a value out of range is clipped to it.

    Raises
    ------
    ParameterError
        If there is no such parameter, the value is not a number, or the session rejects it.
    """
    parameter = PARAMETERS[one_of("parameter", name, PARAMETERS)]
    if not isinstance(value, bool):
        in_range(name, value, -math.inf, math.inf)  # refuses NaN
    if parameter.unit == "switch":
        setattr(session, name, value >= 0.5)
    else:
        silent = parameter.unit == "dB" and value <= parameter.low
        setattr(session, name, -math.inf if silent else min(max(value, parameter.low), parameter.high))


def set_or_tell(session: Controllable, name: str, value: float) -> None:
    """Set a parameter, or tell the user why it cannot be set: for keys and MIDI, where nobody catches an error."""
    try:
        set_parameter(session, name, value)
    except ReverbError as error:
        session.tell(str(error))


def request_number(session: Controllable, number: int) -> None:
    """Request a response by its number, counted from 0; a number beyond the last requests the last one."""
    if session.responses:
        session.request(session.responses[min(max(number, 0), len(session.responses) - 1)])
