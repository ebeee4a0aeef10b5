"""Changes while sound is playing: audible clicks, and the tail of the previous response."""

import numpy as np
from scipy.signal import firwin

import reverb
from checks.accuracy import stream
from checks.check import Group, at_most
from checks.signals import RATE, Signal, convolved, noise, null, room, sine
from reverb.engine.realtime.swap import Curve, Mode
from reverb.levels import to_db

BLOCK = 128
TAPS = 12_000
FADE = 1024

group = Group(
    "Changes while running", f"A tone of 100 Hz or noise, blocks of {BLOCK}, fades of {FADE} frames."
)


def _swapping(mode: Mode, curve: Curve = "equal gain") -> Signal:
    """Return a steady tone through two rooms in turn, ten times per second, after the first has settled."""
    tone = sine(100, 2)[:, np.newaxis]
    tone = tone[: len(tone) // BLOCK * BLOCK]
    rooms = [room(TAPS, 1, seed) for seed in (1, 2)]
    convolver = reverb.Convolver(rooms[0], BLOCK)
    every = RATE // 10 // BLOCK
    heard = []
    for number, block in enumerate(tone.reshape(-1, BLOCK, 1)):
        if number * BLOCK > TAPS and number % every == 0:
            convolver.swap(rooms[number // every % 2], mode=mode, fade=FADE, curve=curve)
        heard.append(convolver.process(block))
    return np.concatenate(heard).astype(np.float64)[TAPS:, 0]


def _click(heard: Signal) -> float:
    """Return the peak above 3 kHz, where a 100 Hz tone has no energy, in dB relative to the peak of the signal."""
    sharp = convolved(heard, firwin(511, 3000, fs=RATE, pass_zero=False, window=("kaiser", 10.0)))[511:-511]
    return float(20 * np.log10(np.abs(sharp).max() / np.abs(heard).max()))


@group.check(
    "crossfade of responses, ten times a second: click above 3 kHz",
    "the tone has no energy there",
    at_most(-60, "dB"),
)
def _() -> float:
    return _click(_swapping("crossfade"))


@group.check("the same with equal power", "the tone has no energy there", at_most(-60, "dB"))
def _() -> float:
    return _click(_swapping("crossfade", "equal power"))


@group.check(
    "spillover of responses, ten times a second: click above 3 kHz",
    "the tone has no energy there",
    at_most(-60, "dB"),
)
def _() -> float:
    return _click(_swapping("spillover"))


@group.check(
    "largest step of a crossfade ÷ the step that both rooms and the fade allow",
    "|a′|, |b′| and |a − b| · π/2F",
    at_most(1),
)
def _() -> float:
    x = noise(400 * BLOCK, 1)
    a, b = (room(TAPS, 1, seed) for seed in (1, 2))
    convolver = reverb.Convolver(a, BLOCK)
    before = stream(convolver, x[: 200 * BLOCK])
    convolver.swap(b, fade=FADE)
    heard = np.concatenate([before, stream(convolver, x[200 * BLOCK :])]).astype(np.float64)
    old, new = (convolved(x, h)[: len(x)] for h in (a, b))
    fading = slice(200 * BLOCK - 1, 200 * BLOCK + FADE)
    steps = [np.abs(np.diff(y[fading], axis=0)).max() for y in (old, new, heard)]
    return float(steps[2] / (max(steps[:2]) + np.abs(old - new)[fading].max() * np.pi / 2 / FADE))


@group.check(
    "after a crossfade: as if the new response had always been there",
    "`oaconvolve` of all the input",
    at_most(-120, "dB"),
)
def _() -> float:
    x = noise(400 * BLOCK)
    a, b = room(TAPS, 2, 1), room(TAPS, 2, 2)
    convolver = reverb.Convolver(a, BLOCK)
    stream(convolver, x[: 200 * BLOCK])
    convolver.swap(b, fade=FADE)
    heard = stream(convolver, x[200 * BLOCK :])
    return null(heard[FADE:], convolved(x, b)[200 * BLOCK + FADE : len(x)])


@group.check(
    "spillover at once: old tail and new sound, each whole", "sum of two `oaconvolve`", at_most(-120, "dB")
)
def _() -> float:
    x = noise(400 * BLOCK)
    a, b = room(TAPS, 2, 1), room(TAPS, 2, 2)
    early, late = x.copy(), x.copy()
    early[200 * BLOCK :], late[: 200 * BLOCK] = 0, 0
    convolver = reverb.Convolver(a, BLOCK)
    before = stream(convolver, x[: 200 * BLOCK])
    convolver.swap(b, mode="spillover", fade=0)
    heard = np.concatenate([before, stream(convolver, x[200 * BLOCK :])])
    return null(heard, (convolved(early, a) + convolved(late, b))[: len(x)])


@group.check(
    "a change of gain: deviation from a straight line over the ramp",
    "the line times the sound",
    at_most(-120, "dB"),
)
def _() -> float:
    x = noise(30 * BLOCK, 1)
    convolver = reverb.Convolver([1.0], BLOCK, gain_db=to_db(0.2), ramp=FADE)
    before = stream(convolver, x[: 10 * BLOCK])
    convolver.gain_db = to_db(0.9)
    heard = np.concatenate([before, stream(convolver, x[10 * BLOCK :])])
    line = 0.2 + 0.7 * np.clip(np.arange(1 - 10 * BLOCK, 20 * BLOCK + 1) / FADE, 0, 1)
    return null(heard, x * line[:, np.newaxis])


@group.check(
    "a block of NaN: samples that differ afterwards", "the same sound with that block silent", at_most(0)
)
def _() -> float:
    broken, silent = noise(200 * BLOCK), noise(200 * BLOCK)
    broken[50 * BLOCK + 3], silent[50 * BLOCK : 51 * BLOCK] = np.nan, 0
    ours, theirs = (stream(reverb.Convolver(room(TAPS), BLOCK), x) for x in (broken, silent))
    return float((ours != theirs).sum())
