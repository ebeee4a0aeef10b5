"""Convolution: offline, in real time, and folded, against direct or overlap-add convolution in float64 by SciPy."""

import itertools
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import convolve

import reverb
from checks.check import Group, at_most
from checks.signals import RATE, Signal, convolved, noise, null, room
from reverb.engine.fft import BackendName
from reverb.engine.routing import parallel

FLOAT32 = at_most(-120, "dB")
FLOAT64 = at_most(-280, "dB")
DIRECT = "direct sum in float64 (`scipy.signal.convolve`)"
OVERLAP_ADD = "`scipy.signal.oaconvolve` in float64"

offline = Group("Convolution, offline", "Nulls: peak of the difference ÷ peak of the reference.")
realtime = Group("Convolution, in real time", "`reverb.Convolver`, block by block, without added latency.")
folding = Group("Folding", "A chain as one response, compared with its steps applied one after the other.")


@offline.check("float32, stereo, a response of 4 s", OVERLAP_ADD, FLOAT32)
def _() -> float:
    x, h = noise(10 * RATE).astype(np.float32), room(4 * RATE).astype(np.float32)
    return null(reverb.convolve(x, h), convolved(x, h))


@offline.check("float64, stereo, a response of 4 s", OVERLAP_ADD, FLOAT64)
def _() -> float:
    x, h = noise(10 * RATE), room(4 * RATE)
    return null(reverb.convolve(x, h), convolved(x, h))


@offline.check("float64, 1 to 4801 frames by 1 to 1021, modes full, same, valid", DIRECT, FLOAT64)
def _() -> float:
    worst = -np.inf
    for frames, taps in itertools.product((1, 2, 97, 1000, 4801), (1, 3, 64, 1021)):
        x, h = noise(frames, 1)[:, 0], room(taps, 1)[:, 0]
        for mode in ("full", "same", "valid"):
            expected = convolve(x, h, mode=mode, method="direct")
            worst = max(worst, null(reverb.convolve(x, h, mode=mode), expected))
    return worst


@offline.check("true stereo: two inputs through four responses", OVERLAP_ADD, FLOAT64)
def _() -> float:
    x, h = noise(RATE), room(RATE, 4)
    return null(reverb.Chain((reverb.ImpulseResponse(h, RATE),))(x, RATE), _true_stereo(x, h))


def _true_stereo(x: Signal, h: Signal) -> Signal:
    left, right = x.T
    pairs = ((left, 0), (left, 1), (right, 2), (right, 3))
    parts = [convolved(side, h[:, path]) for side, path in pairs]
    return np.stack([parts[0] + parts[2], parts[1] + parts[3]], axis=1)


@offline.check(
    "a stream cut anywhere: samples that differ from the uncut stream", "the uncut stream", at_most(0)
)
def _() -> float:
    x, h = noise(5 * RATE).astype(np.float32), room(RATE).astype(np.float32)
    cuts = np.sort(np.random.default_rng(3).integers(0, len(x), 400))
    whole, cut = (reverb.OverlapAdd(h.T, parallel(2)) for _ in range(2))
    expected = np.concatenate([whole.process(x), whole.flush()])
    actual = np.concatenate([*(cut.process(piece) for piece in np.split(x, cuts)), cut.flush()])
    return float((actual != expected).sum())


@offline.check("a file of 24 bits rendered, rounding included", OVERLAP_ADD, FLOAT32)
def _() -> float:
    h = room(2 * RATE) / 4
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "in.wav"), Path(folder, "out.wav")
        soundfile.write(source, noise(5 * RATE), RATE, "PCM_24")
        reverb.process_file(source, output, reverb.ImpulseResponse(h.astype(np.float32), RATE))
        return null(soundfile.read(output)[0], convolved(soundfile.read(source)[0], h))


@offline.check("frames of output too many or too few, tail kept, 20 lengths", "frames + taps − 1", at_most(0))
def _() -> float:
    lengths = itertools.product((1, 480, 4799, 65_537, 100_003), (1, 2, 333, 48_000))
    return sum(
        abs(
            len(reverb.Chain((reverb.ImpulseResponse(room(taps, 1), RATE),))(noise(frames, 1), RATE))
            - (frames + taps - 1)
        )
        for frames, taps in lengths
    )


@offline.check(
    "latency of a linear-phase filter's output, in frames", "peak of the cross-correlation", at_most(0)
)
def _() -> float:
    x = noise(RATE, 1)[:, 0]
    y = reverb.LowPass(8000)(x, RATE, tail=False)
    return abs(int(np.argmax(convolve(y, x[::-1], method="fft"))) - (len(x) - 1))


def stream(convolver: reverb.Convolver, x: Signal) -> Signal:
    """Return the output of a convolver for whole blocks of sound."""
    blocks = x.reshape(-1, convolver.block_size, x.shape[1])
    return np.concatenate([convolver.process(block) for block in blocks])


def _streamed(dtype: npt.DTypeLike, block_size: int, fft: BackendName | None = None) -> float:
    x, h = noise(600 * block_size).astype(np.dtype(dtype)), room(RATE).astype(np.dtype(dtype))
    convolver = reverb.Convolver(h, block_size, dtype=dtype, fft=fft)
    return null(stream(convolver, x), convolved(x, h)[: len(x)])


@realtime.check("float32, blocks of 32, 64, 128, 441 and 1024", OVERLAP_ADD, FLOAT32)
def _() -> float:
    return max(_streamed(np.float32, size) for size in (32, 64, 128, 441, 1024))


@realtime.check("float64, blocks of 32, 64, 128, 441 and 1024", OVERLAP_ADD, FLOAT64)
def _() -> float:
    return max(_streamed(np.float64, size) for size in (32, 64, 128, 441, 1024))


@realtime.check("float32, each FFT library that is installed", OVERLAP_ADD, FLOAT32)
def _() -> float:
    installed: list[BackendName] = ["pocketfft", "numpy"]
    if find_spec("pyfftw"):
        installed.append("fftw")
    return max(_streamed(np.float32, 128, fft) for fft in installed)


@realtime.check("true stereo, blocks of 128", OVERLAP_ADD, FLOAT64)
def _() -> float:
    x, h = noise(600 * 128), room(RATE, 4)
    return null(stream(reverb.Convolver(h, 128, dtype=np.float64), x), _true_stereo(x, h)[: len(x)])


@realtime.check("latency of a block: frames until an impulse is heard", "the impulse itself", at_most(0))
def _() -> float:
    impulse = np.zeros((1024, 1))
    impulse[300] = 1
    heard = stream(reverb.Convolver(np.concatenate([[1.0], np.zeros(RATE)]), 128), impulse)
    return int(np.abs(heard[:, 0]).argmax()) - 300


@realtime.check("latency of calls of any length: frames beyond block − 1", "smallest possible", at_most(0))
def _() -> float:
    adapter = reverb.BlockAdapter(reverb.Convolver([1.0], 128, dtype=np.float64))
    x = noise(5000, 1)
    pieces = np.split(x, np.sort(np.random.default_rng(4).integers(0, len(x), 60)))
    heard = np.concatenate([adapter.process(piece) for piece in pieces])
    late = int(np.argmax(convolve(heard[:, 0], x[::-1, 0], method="fft"))) - (len(x) - 1)
    return late - 127


def _one_by_one(x: Signal, *effects: reverb.Effect) -> Signal:
    """Apply effects one after the other with SciPy, and remove the sum of their latencies."""
    late = 0
    for effect in effects:
        h = effect.response(RATE)
        x = convolved(x, np.broadcast_to(h.samples, (h.frames, x.shape[1])))
        late += h.latency
    return x[late:]


@folding.check("high-pass, hall, peak: three convolutions as one", "one after the other by SciPy", FLOAT32)
def _() -> float:
    steps = reverb.HighPass(120), reverb.Reverb("hall", mix=0.4), reverb.Peak(3000, gain_db=4)
    x = noise(2 * RATE)
    expected = _one_by_one(x, *steps)
    return null(reverb.Chain(steps)(x, RATE)[: len(expected)], expected)


@folding.check(
    "parallel branches with different latencies", "sum of the branches by SciPy", at_most(-240, "dB")
)
def _() -> float:
    x, (early, late) = noise(RATE, 1), (reverb.Peak(500, gain_db=6), reverb.LowPass(2000))
    parts = [_one_by_one(x, effect) for effect in (early, late)]
    expected = np.zeros((max(map(len, parts)), 1))
    for part in parts:
        expected[: len(part)] += part
    return null((early + late)(x, RATE)[: len(expected)], expected)


@folding.check("middle and side with separate filters", "M = (L + R)/2, S = (L − R)/2", at_most(-240, "dB"))
def _() -> float:
    x, (low, high) = noise(RATE), (reverb.LowPass(3000), reverb.LowPass(5000, transition=600))
    sums, differences = x.mean(1, keepdims=True), (x[:, :1] - x[:, 1:]) / 2
    mid, side = (_one_by_one(part, f)[: len(x)] for part, f in ((sums, low), (differences, high)))
    expected = np.concatenate([mid + side, mid - side], axis=1)
    return null(reverb.MidSide(low, high)(x, RATE, tail=False), expected)
