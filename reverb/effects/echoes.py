"""Echoes: a delay with feedback, as the finite row of repeats that can be heard."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from reverb.effects.effect import Effect
from reverb.effects.phases import Taps
from reverb.engine import routing as wires
from reverb.engine.compiled import load_compiled
from reverb.errors import ParameterError
from reverb.levels import from_db
from reverb.responses.response import ImpulseResponse, fitting

_DELAYS = (0.0001, 10.0)
_MOST_FEEDBACK = 0.98
_FLOORS = (-120.0, -20.0)
_LONGEST_SECONDS = 120.0
_DAMPINGS = (10.0, 100_000.0)
_DAMPED_FLOOR = 1e-9  # where the kernel of a one-pole filter ends
_LOUDEST_DB = 24.0


def beats(count: float, bpm: float) -> float:
    """Return how many seconds some beats last: a quarter note is 1, a dotted eighth 0.75.

    Parameters
    ----------
    count : float
        Of beats, above 0.
    bpm : float
        Beats per minute, 1 to 1000.
    """
    if not 1 <= bpm <= 1000:
        raise ParameterError(f"tempo {bpm:g} beats per minute; expected 1 to 1000")
    if not 0 < count < math.inf:
        raise ParameterError(f"{count:g} beats; expected more than 0")
    return 60.0 * count / bpm


@dataclass(frozen=True, repr=False)
class Echoes(Effect):
    """The dry sound and its echoes, each weaker by the feedback than the one before.

    Parameters
    ----------
    delay : float
        Seconds from one echo to the next, 0.0001 to 10; see `beats`.
    feedback : float
        Gain from one echo to the next, 0 (a single echo) to 0.98.
    wet : float
        Level of the first echo in dB, at most 24.
    dry : float
        Level of the dry sound in dB, at most 24; −inf for none.
    damping : float, optional
        Cutoff in Hz of a one-pole low-pass filter that each echo passes once more than the one before, as on tape.
    ping_pong : bool
        Echoes of the sum of both channels, the first on the left, the next on the right, and so on: needs stereo.
    floor : float
        Echoes end when they lie this far below the first, −120 to −20 dB.

    Raises
    ------
    ParameterError
        If a value is out of range, or the echoes would last more than two minutes.
    """

    delay: float
    feedback: float = 0.4
    wet: float = -6.0
    dry: float = 0.0
    damping: float | None = None
    ping_pong: bool = False
    floor: float = -80.0

    def __post_init__(self) -> None:
        _check("delay", self.delay, " s", _DELAYS)
        _check("feedback", self.feedback, "", (0.0, _MOST_FEEDBACK))
        _check("floor", self.floor, " dB", _FLOORS)
        if self.damping is not None:
            _check("damping", self.damping, " Hz", _DAMPINGS)
        for name, db in (("wet", self.wet), ("dry", self.dry)):
            if not db <= _LOUDEST_DB:
                raise ParameterError(f"{name} {db} dB; expected at most {_LOUDEST_DB:g} dB")
        if self.count * self.delay > _LONGEST_SECONDS:
            raise ParameterError(
                f"feedback {self.feedback:g} makes {self.count} echoes of {self.delay:g} s; expected at most "
                f"{_LONGEST_SECONDS:g} s of them. Choose less feedback, or a higher floor"
            )

    @property
    def count(self) -> int:
        """How many echoes there are."""
        return 1 if self.feedback == 0.0 else 1 + int(self.floor / 20 / math.log10(self.feedback))

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return the dry sound and the echoes at `sample_rate` Hz, mono, or true stereo for ping-pong."""
        rows = 4 if self.ping_pong else 1  # from left to both, from right to both
        frames = self._frames(sample_rate, rows)
        samples = np.zeros((frames, rows), fitting(frames, rows, np.float64, "echoes"))
        level = from_db(self.wet) * (0.5 if self.ping_pong else 1.0)
        for number, (start, kernel) in enumerate(self._echoes(sample_rate)):
            side = slice(number % 2, None, 2) if self.ping_pong else slice(None)
            samples[start : start + len(kernel), side] += level * kernel[:, np.newaxis]
        samples[0, [0, -1] if self.ping_pong else [0]] += from_db(self.dry)
        samples.setflags(write=False)
        return ImpulseResponse(
            samples, sample_rate, "echoes", wires.matrix(2, 2) if self.ping_pong else wires.each(1)
        )

    def _frames(self, sample_rate: int, rows: int) -> int:
        """Return how long the response is; refuse one that is too long before its memory is taken."""
        frames = 0
        fitting(round(self.count * self.delay * sample_rate), rows, np.float64, "echoes")
        for start, kernel in self._echoes(sample_rate):
            frames = max(frames, start + len(kernel))
            fitting(frames, rows, np.float64, "echoes")
        return frames

    def _echoes(self, sample_rate: int) -> Iterator[tuple[int, Taps]]:
        """Give where each echo starts and what it is: a gain, and a power of the damping filter."""
        decay = 0.0 if self.damping is None else math.exp(-2 * math.pi * self.damping / sample_rate)
        more = math.ceil(math.log(_DAMPED_FLOOR) / math.log(decay)) if decay > 0 else 0
        filtered = np.ones(1)
        for number in range(self.count):
            if self.damping is not None:
                filtered = _without_end(_one_pole(filtered, decay, more))
            yield round((number + 1) * self.delay * sample_rate), self.feedback**number * filtered


def _one_pole(kernel: Taps, decay: float, more: int) -> Taps:
    """Return a kernel after ``y[n] = (1 - decay) x[n] + decay y[n - 1]``, longer by `more` frames."""
    b, a = np.array([1 - decay]), np.array([1, -decay])
    return _lfilter()(b, a, np.append(kernel, np.zeros(more)), -1)


@cache
def _lfilter() -> Callable[[Taps, Taps, Taps, int], Taps]:
    """Return SciPy's `lfilter`: its compiled half alone, for all of scipy.signal takes half a second and 80 MB."""
    module = load_compiled("scipy", "signal/_sigtools", "scipy.signal._sigtools")
    if module is None or not hasattr(module, "_linear_filter"):  # it is private, and may go away
        from scipy.signal import lfilter

        return lfilter
    found: Callable[[Taps, Taps, Taps, int], Taps] = module._linear_filter
    return found


def _without_end(kernel: Taps) -> Taps:
    """Return a kernel without what is inaudible at its end, so that powers of a filter stay short."""
    return kernel[: int(np.flatnonzero(kernel > _DAMPED_FLOOR * kernel.max())[-1]) + 1]


def _check(name: str, value: float, unit: str, allowed: tuple[float, float]) -> None:
    if not allowed[0] <= value <= allowed[1]:
        raise ParameterError(f"{name} {value:g}{unit}; expected {allowed[0]:g} to {allowed[1]:g}{unit}")
