"""Delays: a pure delay, and echoes, which are the finite number of audible repeats of a delay with feedback."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reverb.arrays import Double, as_sample_rate
from reverb.checks import flag, in_range, instance, is_number
from reverb.effects.effect import Effect
from reverb.engine import routing
from reverb.errors import ParameterError, shown
from reverb.levels import from_db
from reverb.responses.layouts import dtype_within_limit
from reverb.responses.response import ImpulseResponse, derived, owning, unit

_NOTE = re.compile(r"(\d+)\s*/\s*(\d+)\s*([dt.]?)")
_MAX_DELAY_SECONDS = 60.0
_ECHO_SECONDS = (0.0001, 10.0)  # smallest and largest, here and below
_MAX_FEEDBACK = 0.98
_FLOORS_DB = (-120.0, -20.0)
_MAX_SECONDS = 120.0  # of all echoes
_DAMPINGS_HZ = (10.0, 100_000.0)
_DAMPED_FLOOR = 1e-9  # of its maximum, where the response of one-pole filters ends
_MAX_DB = 24.0


def beats(count: float, bpm: float) -> float:
    """Return the duration of some beats in seconds.

    Parameters
    ----------
    count : float
        Number of beats, above 0: a quarter note is 1, a dotted eighth 0.75.
    bpm : float
        Beats per minute, 1 to 1000.

    Examples
    --------
    >>> beats(0.75, 120)
    0.375
    """
    in_range("tempo", bpm, 1, 1000, "beats per minute")
    if not is_number(count) or not 0 < count < math.inf:
        raise ParameterError(f"{shown(repr(count))} beats; expected more than 0")
    return 60.0 * count / bpm


def note_seconds(note: str, bpm: float) -> float:
    """Return the duration of a note in seconds.

    Parameters
    ----------
    note : str
        A fraction of a whole note: ``1/8``; dotted ``1/8d`` or ``1/8.``, triplet ``1/8t``.
    bpm : float
        Quarter notes per minute, 1 to 1000.

    Examples
    --------
    >>> note_seconds("1/16", 120)
    0.125
    """
    found = _NOTE.fullmatch(instance("note", note, str, "a text such as 1/8").strip().lower())
    if found is None or int(found[1]) == 0 or int(found[2]) == 0:
        raise ParameterError(f"note {note!r}; expected a fraction such as 1/8, dotted 1/8d, or triplet 1/8t")
    length = {"": 1.0, "d": 1.5, ".": 1.5, "t": 2 / 3}[found[3]]
    return beats(4 * length * int(found[1]) / int(found[2]), bpm)


@dataclass(frozen=True, repr=False)
class Delay(Effect):
    """A pure delay, rounded to the nearest frame.

    Parameters
    ----------
    seconds : float
        0 to 60.

    Examples
    --------
    >>> Delay(0.5).response(8000).frames
    4001
    """

    seconds: float

    def __post_init__(self) -> None:
        in_range("delay", self.seconds, 0, _MAX_DELAY_SECONDS, "s")

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return a unit impulse `seconds` after time zero."""
        return derived(unit(sample_rate).delay(self.seconds), name="delay")


@dataclass(frozen=True, repr=False)
class Echoes(Effect):
    """The dry sound and its echoes, each at `feedback` times the level of the one before.

    Parameters
    ----------
    delay : float
        Seconds from one echo to the next, 0.0001 to 10; see `beats`.
    feedback : float
        Gain from one echo to the next, 0 (a single echo) to 0.98.
    wet : float
        Level of the first echo in dB, at most 24.
    dry : float
        Level of the dry sound in dB, at most 24; −inf removes it.
    damping : float, optional
        Cutoff of a one-pole low-pass filter in Hz, 10 to 100,000. As on tape, each echo passes the filter once more
        than the one before.
    ping_pong : bool
        Alternate between the channels, beginning on the left; the echoes are those of the sum of both inputs.
    floor : float
        Level in dB relative to the first echo at which the echoes end, −120 to −20.

    Raises
    ------
    ParameterError
        If a value is out of range, or the echoes would last more than two minutes.

    Examples
    --------
    >>> Echoes(delay=0.25, feedback=0.5, floor=-20).count
    4
    """

    delay: float
    feedback: float = 0.4
    wet: float = -6.0
    dry: float = 0.0
    damping: float | None = None
    ping_pong: bool = False
    floor: float = -80.0

    def __post_init__(self) -> None:
        in_range("delay", self.delay, *_ECHO_SECONDS, "s")
        in_range("feedback", self.feedback, 0.0, _MAX_FEEDBACK)
        in_range("floor", self.floor, *_FLOORS_DB, "dB")
        if self.damping is not None:
            in_range("damping", self.damping, *_DAMPINGS_HZ, "Hz")
        for name, db in (("wet", self.wet), ("dry", self.dry)):
            in_range(name, db, -math.inf, _MAX_DB, "dB")
        flag("ping_pong", self.ping_pong)
        if self.count * self.delay > _MAX_SECONDS:
            raise ParameterError(
                f"feedback {self.feedback:g} makes {self.count} echoes of {self.delay:g} s; expected at most "
                f"{_MAX_SECONDS:g} s of them. Use less feedback, or a higher floor"
            )

    @property
    def count(self) -> int:
        """Number of echoes."""
        return 1 if self.feedback == 0.0 else 1 + int(self.floor / 20 / math.log10(self.feedback))

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the dry sound and the echoes at `sample_rate` Hz: mono, or true stereo for ping-pong."""
        sample_rate = as_sample_rate(sample_rate)
        rows = 4 if self.ping_pong else 1  # L→L, L→R, R→L, R→R
        frames = self._frames(sample_rate, rows)
        samples = np.zeros((frames, rows), dtype_within_limit(frames, rows, np.float64, "echoes"))
        level = from_db(self.wet) * (0.5 if self.ping_pong else 1.0)
        for number, (start, kernel) in enumerate(self._echoes(sample_rate)):
            side = slice(number % 2, None, 2) if self.ping_pong else slice(None)
            samples[start : start + len(kernel), side] += level * kernel[:, np.newaxis]
        samples[0, [0, -1] if self.ping_pong else [0]] += from_db(self.dry)
        return owning(
            samples, sample_rate, "echoes", routing.matrix(2, 2) if self.ping_pong else routing.each(1)
        )

    def _frames(self, sample_rate: int, rows: int) -> int:
        """Return the length of the response, or raise InvalidAudioError before too much memory is allocated."""
        frames = 0
        dtype_within_limit(round(self.count * self.delay * sample_rate), rows, np.float64, "echoes")
        for start, kernel in self._echoes(sample_rate):
            frames = max(frames, start + len(kernel))
            dtype_within_limit(frames, rows, np.float64, "echoes")
        return frames

    def _echoes(self, sample_rate: int) -> Iterator[tuple[int, Double]]:
        """Yield the first frame of each echo, and its samples: a gain times a power of the damping filter."""
        for number in range(self.count):
            kernel = np.ones(1)
            if self.damping is not None:
                kernel = one_poles(number + 1, 2 * math.pi * self.damping / sample_rate)
            yield round((number + 1) * self.delay * sample_rate), self.feedback**number * kernel


def one_poles(count: int, rate: float) -> Double:
    """Return the response of `count` equal one-pole filters in series, ``y[n] = (1 - a) x[n] + a y[n - 1]``.

    With ``a = exp(-rate)``, `rate` the cutoff in radians per frame, it is the negative binomial distribution,
    ``h[n] = C(n + count - 1, n) (1 - a)^count a^n``.
    It ends where it falls below `_DAMPED_FLOOR` of its maximum for good.
    """
    # An upper bound of that frame, from the gamma distribution and t - 1 - log(t) >= (t - 1)^2 / 2t.
    fall, order = -math.log(_DAMPED_FLOOR), count - 1
    frames = 1 + math.ceil((order + fall + math.sqrt(fall * (fall + 2 * order))) / rate)
    n = np.arange(1, frames)
    steps = np.log1p(order / n) - rate  # differences of the logarithm from frame to frame
    kernel = np.exp(np.append(0.0, np.cumsum(steps)) + count * math.log(-math.expm1(-rate)))
    return kernel[: int(np.flatnonzero(kernel > _DAMPED_FLOOR * kernel.max())[-1]) + 1]
