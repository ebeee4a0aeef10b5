"""What the documentation promises to take and to give, in the eyes of a type checker; it is run, too."""

from dataclasses import replace
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import reverb
import reverb.live
from reverb.effects.effect import HasResponse
from reverb.effects.fold import apply
from reverb.engine.routing import Routing, each

RATE = 48_000
Single = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Sound = npt.NDArray[np.floating[Any]]


class Click:
    """An effect of somebody else's: all that it takes is a response."""

    def response(self, sample_rate: int) -> reverb.ImpulseResponse:
        return reverb.ImpulseResponse([1.0], sample_rate)


single, double, integers = np.ones(100, np.float32), np.ones(100), np.ones(100, np.int16)
half = np.ones(100, np.float16)
echo, low_pass = reverb.ImpulseResponse([1.0, 0.5], RATE), reverb.LowPass(8000, transition=4000)

# A response takes more than it holds.
assert_type(echo.samples, Sound)
assert_type(reverb.ImpulseResponse(np.ones((8, 4)), RATE, wiring="1x4").wiring, Routing)
assert_type(reverb.ImpulseResponse(integers, RATE, "dull", each(1), 3).latency, int)
assert_type(replace(echo, name="echo", samples=double), reverb.ImpulseResponse)

# Operators.
assert_type(echo >> echo, reverb.ImpulseResponse)
assert_type(echo + echo, reverb.ImpulseResponse)
assert_type(0.5 * echo, reverb.ImpulseResponse)
assert_type(echo >> low_pass, reverb.Chain)
assert_type(low_pass >> echo, reverb.Chain)
assert_type(low_pass >> reverb.Gain(-6), reverb.Chain)
assert_type(Click() >> low_pass, reverb.Chain)
assert_type(echo + low_pass, reverb.Parallel)
assert_type(low_pass + echo, reverb.Parallel)
assert_type(low_pass + reverb.Gain(-6), reverb.Parallel)
assert_type(low_pass + Click(), reverb.Parallel)
assert_type((echo >> low_pass).effects, tuple[HasResponse, ...])
assert_type((echo >> echo + low_pass).response(RATE).frames, int)

# float32 stays; else float64; and where only the array knows, either.
assert_type((echo >> low_pass)(single, RATE), Single)
assert_type((echo + low_pass)(double, RATE), Double)
assert_type(low_pass(integers, RATE), Double)
assert_type(low_pass([0.0, 1.0], RATE, tail=False), Double)
assert_type(low_pass([[0.0, 1.0], [1.0, 0.0]], RATE, workers=1), Double)
assert_type(low_pass(half, RATE), Sound)
assert_type(low_pass(list(single), RATE), Sound)
assert_type(low_pass(echo.samples, RATE), Sound)
assert_type(apply(echo, single, RATE), Single)
assert_type(apply(echo, [1.0], RATE), Double)
assert_type(apply(Click(), half, RATE), Sound)
assert_type(reverb.convolve(single, single, "same"), Single)
assert_type(reverb.convolve(double, double, "valid"), Double)
assert_type(reverb.convolve([1.0, 2.0], (0.0, 1.0)), Sound)
for kept in (low_pass(single, RATE), low_pass(list(single), RATE), apply(echo, single, RATE)):
    assert kept.dtype == np.float32
for widened in (low_pass(integers, RATE), low_pass([0.0, 1.0], RATE), apply(echo, half, RATE)):
    assert widened.dtype == np.float64

# Streams.
convolver = reverb.Convolver([1.0, 0.5], 4, sample_rate=RATE, dtype="float64", fft="numpy")
assert_type(convolver.process([1.0, 0.0, 0.0, 0.0]), Sound)
convolver.swap((echo >> low_pass).response(RATE).samples[:, 0], mode="spillover", curve="equal power")
convolver.swap(low_pass.response(RATE) * 0.5 if low_pass.phase == "minimum" else echo)
assert_type(reverb.BlockAdapter(convolver).process([1, 0, 0]), Sound)
assert_type(reverb.OverlapAdd([[1.0, 0.5]], each(1)).process([[1.0], [0.0]]), Sound)


def files_and_cards() -> None:
    """Only checked: these leave something behind, or need a sound card."""
    report = reverb.process_files(
        "in", "out", {"echo": echo}, normalize="peak", tail=False, gain=-3, dither=None, workers=1
    )
    assert_type(report, reverb.BatchReport)
    assert_type(report.count("done"), int)
    assert_type(reverb.process_file("a.wav", "b.wav", echo >> low_pass).loudness, float | None)
    with reverb.live.Session(echo, transition="spillover", latency=0.01, limiter=False) as session:
        assert_type(session, reverb.live.Session)
