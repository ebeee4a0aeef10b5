"""The feedback guard: recognises a howl that grows between speaker and microphone, and turns the output down.

A howl is the one frequency at which the loop through the room gains. It differs from music in being a single pure tone
whose level rises steadily, by the same number of decibels in the same time, until something saturates. (van Waterschoot
and Moonen 2011, Fifty years of acoustic feedback control, section on howling detection: peak-to-average power ratio,
peak-to-harmonic power ratio, and the slope of the level in dB.)
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reverb.levels import to_db
from reverb.live.ring import Block

WINDOW = 4096
INTERVAL = 0.05
"""Seconds between looks."""

_LOOKS = 8
_RISE_DB = 6.0
_PURITY = 0.9
_HARMONIC = 10 ** (-25.0 / 10)
_SILENCE = 1e-12
_LOUD_DB = -24.0
_STUCK_LOOKS = 16
_STUCK_DB = -3.0
_DUCK_DB = -30.0
_STEP_DB = -6.0
_HOLD_LOOKS = 20
_RECOVERY_DB = 1.5


class Tap:
    """The latest output as mono, copied aside by the audio thread for the guard to look at.

    A look may see a seam between newer and older blocks; it costs one look's accuracy, never the audio thread's time.
    """

    def __init__(self, block_size: int) -> None:
        self._blocks = np.zeros((-(-WINDOW // block_size), block_size), np.float32)
        self._next = 0

    def push(self, block: Block) -> None:
        """Keep the first channel of a block (frames, channels)."""
        self._blocks[self._next] = block[:, 0]
        self._next = (self._next + 1) % len(self._blocks)

    def read(self) -> Block:
        """Return the latest frames in order."""
        latest: Block = np.roll(self._blocks, -self._next, axis=0).reshape(-1)[-WINDOW:]
        return latest


@dataclass(frozen=True)
class Look:
    """What one look found.

    Attributes
    ----------
    frequency, level_db : float
        Of the strongest tone, in Hz and dBFS.
    tonal : bool
        Whether there is nothing but this tone and its harmonics.
    pure : bool
        Whether there is nothing but this tone.
    """

    frequency: float
    level_db: float
    tonal: bool
    pure: bool


def look(sound: Block, sample_rate: int) -> Look:
    """Find the strongest tone in a window of sound (frames,) and whether it stands alone, without harmonics."""
    window = _window(len(sound))
    power = np.abs(np.fft.rfft(sound * window)) ** 2
    power[:3] = 0.0
    top = int(np.argmax(power))
    total = float(power.sum())
    if total < _SILENCE:
        return Look(0.0, -math.inf, False, False)
    lobes = np.convolve(power, np.ones(5), "same")[top::top].tolist()
    # A sine of amplitude a has a²·n·Σw²/4 in its lobe.
    amplitude = math.sqrt(4.0 * lobes[0] / (len(sound) * float(window @ window)))
    pure = lobes[0] > _PURITY * total and max(lobes[1:3], default=0.0) < _HARMONIC * lobes[0]
    tonal = top > 8 and sum(lobes) > _PURITY * total  # below, harmonics lie too close to mean anything
    return Look(top * sample_rate / len(sound), to_db(amplitude), tonal, pure)


@cache
def _window(frames: int) -> npt.NDArray[np.float64]:
    return np.hanning(frames)


class FeedbackGuard:
    """Decides, look by look, how far to turn the output down.

    A tone is a howl when it has been pure and at the same frequency for eight looks (0.4 s), rising at every one, by
    6 dB in all; or, where it rose too fast to be seen, when it has stood at the limiter for 0.8 s with nothing but its
    harmonics. Then the output is ducked by 30 dB for a second and comes back to a level that is 6 dB lower after
    every howl.

    Attributes
    ----------
    gain_db : float
        What the output should be turned to now, ≤ 0.
    howls : int
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all howls."""
        self.gain_db = 0.0
        self.howls = 0
        self._rest_db = 0.0
        self._hold = 0
        self._looks: list[Look] = []

    def decide(self, found: Look) -> str | None:
        """Take in a look; return what to tell the user if it is a howl."""
        if self._hold:
            self._hold -= 1
            return None
        self.gain_db = min(self._rest_db, self.gain_db + _RECOVERY_DB)
        self._looks = [*self._looks[-_STUCK_LOOKS + 1 :], found]
        if not self._is_howl():
            return None
        self.howls += 1
        self._rest_db += _STEP_DB
        self.gain_db = min(_DUCK_DB, self._rest_db)
        self._hold = _HOLD_LOOKS
        self._looks = []
        return (
            f"feedback at {found.frequency:.0f} Hz: output ducked, comes back {-self._rest_db:.0f} dB lower; "
            "move the microphone away from the speaker"
        )

    def _is_howl(self) -> bool:
        whole, recent = self._looks, self._looks[-_LOOKS:]
        levels = [found.level_db for found in recent]
        if (
            len(recent) == _LOOKS
            and all(found.pure for found in recent)
            and _one_tone(recent)
            and all(after > before for before, after in pairwise(levels))
            and levels[-1] - levels[0] >= _RISE_DB
            and levels[-1] > _LOUD_DB
        ):
            return True
        return (
            len(whole) == _STUCK_LOOKS
            and all(found.tonal and found.level_db > _STUCK_DB for found in whole)
            and _one_tone(whole)
        )


def _one_tone(looks: list[Look]) -> bool:
    lowest = min(found.frequency for found in looks)
    return all(found.frequency <= 1.03 * lowest + 12.0 for found in looks)
