"""The feedback guard: detects acoustic feedback between speaker and microphone, and turns the output down.

A howl grows at the frequency at which the loop through the room has the highest gain. Unlike music it is a single pure
tone whose level in dB rises at a constant rate until a part of the loop saturates. (van Waterschoot and Moonen 2011,
Fifty years of acoustic feedback control, section on howling detection: peak-to-average power ratio, peak-to-harmonic
power ratio, and the slope of the level in dB.)
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reverb.arrays import Block
from reverb.levels import to_db

WINDOW = 4096
INTERVAL_SECONDS = 0.05
"""Time between two searches for a tone."""

_RISING_TONES = 8
_MIN_RISE_DB = 6.0
_MIN_SHARE = 0.9
_MAX_HARMONIC = 10 ** (-25.0 / 10)
_SILENCE = 1e-12
_MIN_TONAL_BIN = 8
_MIN_HOWL_DB = -24.0
_SATURATED_TONES = 16
_SATURATED_DB = -3.0
_DUCK_DB = -30.0
_STEP_DB = -6.0
_HOLD_INTERVALS = 20
_RECOVERY_DB = 1.5


class Tap:
    """The latest output of the first channel, which the audio thread stores for the guard.

    The audio thread may write while another thread reads; the gap between new and old blocks then blurs one spectrum.
    """

    def __init__(self, block_size: int) -> None:
        self._blocks = np.zeros((-(-WINDOW // block_size), block_size), np.float32)
        self._next = 0

    def push(self, block: Block) -> None:
        """Store the first channel of a block (frames, channels)."""
        self._blocks[self._next] = block[:, 0]
        self._next = (self._next + 1) % len(self._blocks)

    def read(self) -> Block:
        """Return the latest 4096 frames, oldest first."""
        latest: Block = np.roll(self._blocks, -self._next, axis=0).reshape(-1)[-WINDOW:]
        return latest


@dataclass(frozen=True)
class Tone:
    """The strongest tone in a window of sound.

    Attributes
    ----------
    frequency, level_db : float
        In Hz and dBFS.
    tonal : bool
        Whether the window contains only this tone and its harmonics.
    pure : bool
        Whether the window contains only this tone.
    """

    frequency: float
    level_db: float
    tonal: bool
    pure: bool


def find_tone(sound: Block, sample_rate: int) -> Tone:
    """Return the strongest tone in a window of sound (frames,)."""
    window = _window(len(sound))
    power = np.abs(np.fft.rfft(sound * window)) ** 2
    power[:3] = 0.0
    top = int(np.argmax(power))
    total = float(power.sum())
    if total < _SILENCE:
        return Tone(0.0, -math.inf, False, False)
    lobes = np.convolve(power, np.ones(5), "same")[top::top].tolist()
    # A sine of amplitude a has a²·n·Σw²/4 in its lobe.
    amplitude = math.sqrt(4.0 * lobes[0] / (len(sound) * float(window @ window)))
    pure = lobes[0] > _MIN_SHARE * total and max(lobes[1:3], default=0.0) < _MAX_HARMONIC * lobes[0]
    # The lobes of lower harmonics overlap.
    tonal = top > _MIN_TONAL_BIN and sum(lobes) > _MIN_SHARE * total
    return Tone(top * sample_rate / len(sound), to_db(amplitude), tonal, pure)


@cache
def _window(frames: int) -> npt.NDArray[np.float64]:
    return np.hanning(frames)


class FeedbackGuard:
    """Chooses the gain of the output from the tones found in it, one every 50 ms.

    A howl is a pure tone of one frequency whose level rises over eight tones in succession (0.4 s), by 6 dB in total. A
    howl that rises faster is detected after 0.8 s at the limiter with nothing but its harmonics. The output is then
    turned down by 30 dB for a second, and returns at a level that is 6 dB lower after each howl.

    Attributes
    ----------
    gain_db : float
        The gain to apply to the output, ≤ 0.
    howls : int
        Number of howls so far.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all howls."""
        self.gain_db = 0.0
        self.howls = 0
        self._final_db = 0.0
        self._hold = 0
        self._tones: list[Tone] = []

    def decide(self, found: Tone) -> str | None:
        """Update the gain from the latest tone; return a message for the user if it is a howl, otherwise None."""
        if self._hold:
            self._hold -= 1
            return None
        self.gain_db = min(self._final_db, self.gain_db + _RECOVERY_DB)
        self._tones = [*self._tones[-_SATURATED_TONES + 1 :], found]
        if not self._is_howl():
            return None
        self.howls += 1
        self._final_db += _STEP_DB
        self.gain_db = min(_DUCK_DB, self._final_db)
        self._hold = _HOLD_INTERVALS
        self._tones = []
        return (
            f"feedback at {found.frequency:.0f} Hz: output turned down, comes back {-self._final_db:.0f} dB lower; "
            "move the microphone away from the speaker"
        )

    def _is_howl(self) -> bool:
        tones, recent = self._tones, self._tones[-_RISING_TONES:]
        levels = [tone.level_db for tone in recent]
        rising = (
            len(recent) == _RISING_TONES
            and all(tone.pure for tone in recent)
            and _same_frequency(recent)
            and all(after > before for before, after in pairwise(levels))
            and levels[-1] - levels[0] >= _MIN_RISE_DB
            and levels[-1] > _MIN_HOWL_DB
        )
        saturated = (
            len(tones) == _SATURATED_TONES
            and all(tone.tonal and tone.level_db > _SATURATED_DB for tone in tones)
            and _same_frequency(tones)
        )
        return rising or saturated


def _same_frequency(tones: list[Tone]) -> bool:
    lowest = min(tone.frequency for tone in tones)
    return all(tone.frequency <= 1.03 * lowest + 12.0 for tone in tones)
