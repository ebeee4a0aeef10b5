"""Every public function of the responses refuses nonsense with an error of the package, never with a raw one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reverb.errors import InvalidAudioError, ParameterError, ReverbError
from reverb.responses import edit, level, stretch, tail
from reverb.responses.acoustics import measure, with_broadband
from reverb.responses.bands import band_set
from reverb.responses.compare import compare
from reverb.responses.decay import shaping
from reverb.responses.measure import burst, identify, sweep, sweep_deconvolution
from reverb.responses.response import ImpulseResponse, unit
from reverb.responses.rooms import figures, materials, plate, room, simulate
from tests.signals import decaying

RATE = 8000
NONSENSE: tuple[object, ...] = (None, float("nan"), "wide", [None], {}, object(), True)
NOT_A_NUMBER: tuple[object, ...] = (None, float("nan"), "wide", [1.0], True, 1j)
NO_SOUND: tuple[object, ...] = (
    None,
    "sound",
    [],
    [np.nan, 1.0],
    [[1.0], [1.0, 2.0]],
    np.zeros((2, 2, 2)),
    [1j],
    {},
)
IR = ImpulseResponse(decaying(2000, 2), RATE, "room")
SWEEP = sweep.Sweep(sample_rate=RATE, seconds=0.2, pause=0.1)
SOUND = decaying(4000)[:, 0]
REPORT = measure(IR.samples, RATE, bands="broadband")

# Functions of a response and nothing else, or with all other arguments at a good value.
OF_A_RESPONSE: tuple[Callable[[Any], object], ...] = (
    edit.trim_head,
    edit.trim_tail,
    lambda r: edit.set_length(r, 0.1),
    edit.cut_noise,
    lambda r: edit.fade_in(r, 0.1),
    lambda r: edit.fade_out(r, 0.1),
    edit.reverse,
    lambda r: edit.predelay(r, 0.1),
    lambda r: edit.attack(r, 0.1),
    edit.balance,
    lambda r: edit.set_gain(r, "peak"),
    edit.largest_output,
    lambda r: edit.to_layout(r, "mono"),
    lambda r: edit.true_stereo(r, IR),
    lambda r: edit.true_stereo(IR, r),
    level.normalize,
    level.level_gain,
    level.loudness_ratio,
    level.energy_ratio,
    level.peak,
    level.blend,
    lambda r: stretch.stretch_tape(r, 2),
    lambda r: stretch.stretch_time(r, 2),
    tail.extend_tail,
    lambda r: shaping.scale_decay(r, 2),
    lambda r: shaping.with_rt60(r, 1.0),
)
OF_A_NUMBER: tuple[Callable[[Any], object], ...] = (
    IR.response,
    IR.for_channels,
    IR.gain,
    IR.delay,
    lambda v: ImpulseResponse([1.0], v),
    lambda v: ImpulseResponse([1.0], RATE, latency=v),
    unit,
    lambda v: edit.trim_head(IR, v),
    lambda v: edit.trim_head(IR, lead=v),
    lambda v: edit.trim_tail(IR, v),
    lambda v: edit.set_length(IR, v),
    lambda v: edit.fade_in(IR, v),
    lambda v: edit.fade_out(IR, v),
    lambda v: edit.predelay(IR, v),
    lambda v: edit.attack(IR, v),
    lambda v: edit.balance(IR, early_db=v),
    lambda v: edit.balance(IR, late_db=v),
    lambda v: edit.balance(IR, split=v),
    lambda v: level.blend(IR, v),
    lambda v: stretch.stretch_tape(IR, v),
    lambda v: stretch.stretch_time(IR, v),
    lambda v: tail.extend_tail(IR, v),
    lambda v: tail.extend_tail(IR, seed=v),
    lambda v: shaping.scale_decay(IR, v),
    lambda v: shaping.scale_decay(IR, 2, seed=v),
    lambda v: shaping.with_rt60(IR, v),
    lambda v: shaping.with_rt60(IR, {1000.0: v}),
    lambda v: shaping.with_rt60(IR, 1.0, seed=v),
    lambda v: measure(SOUND, v),
    lambda v: band_set("octave", v),
    *(
        (lambda v, name=name: sweep.Sweep(**{name: v}))
        for name in ("sample_rate", "seconds", "low", "high", "level", "fade_in", "fade_out", "pause")
    ),
    lambda v: sweep.Sweep(repetitions=v),
    lambda v: sweep.Sweep(sources=v),
    lambda v: sweep_deconvolution.deconvolve(SOUND, v, SWEEP),
    lambda v: sweep_deconvolution.deconvolve(SOUND, RATE, SWEEP, lead=v),
    lambda v: burst.from_burst(SOUND, v),
    lambda v: burst.from_burst(SOUND, RATE, lead=v),
    lambda v: burst.from_burst(SOUND, RATE, direct=v),
    lambda v: burst.from_burst(SOUND, RATE, limit=v),
    lambda v: identify.identify(SOUND, SOUND, v, 0.1),
    lambda v: identify.identify(SOUND, SOUND, RATE, v),
    lambda v: identify.identify(SOUND, SOUND, RATE, 0.1, lead=v),
    lambda v: identify.identify(SOUND, SOUND, RATE, 0.1, regularization=v),
    lambda v: identify.identify(SOUND, SOUND, RATE, 0.1, iterations=v),
    lambda v: figures.Figures(rt60=v),
    lambda v: figures.Figures(size=v),
    lambda v: figures.Figures(early_db=v),
    lambda v: figures.Figures(density=v),
    lambda v: figures.Figures(spacing=v),
    lambda v: figures.Figures(angle=v),
    lambda v: figures.Figures(seed=v),
    lambda v: figures.synthesize(figures.Figures(), v),
    *(
        (lambda v, name=name: plate.Plate(**{name: v}))
        for name in (
            "size",
            "thickness",
            "driver",
            "left",
            "right",
            "rt60_low",
            "rt60_high",
            "turn",
            "highest",
        )
    ),
    lambda v: plate.synthesize_plate(plate.Plate(), v),
    lambda v: room.Pair(spacing=v, angle=0),
    lambda v: room.Pair(spacing=1, angle=v),
    lambda v: room.Pair(spacing=1, angle=0, directivity=v),
    lambda v: room.build(size=v),
    lambda v: room.build(size=(4, 3, v)),
    lambda v: room.build(plan=((0, 0), (1, 0), (1, 1)), height=v if v is not None else -1),
    lambda v: room.build(size=(4, 3, 2), order=v),
    lambda v: room.build(size=(4, 3, 2), seed=v),
    lambda v: simulate.simulate(room.build(size=(4, 3, 2)), v),
    materials.octave_times,
)
OF_SOMETHING_ELSE: tuple[Callable[[Any], object], ...] = (
    lambda v: ImpulseResponse([1.0], RATE, name=v) if v != "wide" else unit(0),
    lambda v: ImpulseResponse([1.0], RATE, wiring=v) if v is not None else unit(0),
    lambda v: edit.set_gain(IR, v),
    lambda v: edit.to_layout(IR, v),
    lambda v: level.normalize(IR, v),
    lambda v: measure(SOUND, RATE, bands=v),
    lambda v: band_set(v, RATE),
    lambda v: with_broadband(v, IR.samples),
    lambda v: compare(v, REPORT),
    lambda v: compare(REPORT, v),
    sweep.signal,
    sweep.one_sweep,
    sweep.inverse,
    lambda v: sweep_deconvolution.deconvolve(SOUND, RATE, v),
    lambda v: figures.synthesize(v),
    lambda v: figures.synthesize(figures.Figures(), layout=v),
    lambda v: plate.synthesize_plate(v),
    lambda v: plate.synthesize_plate(plate.Plate(), layout=v),
    lambda v: plate.plate_of_size(v, 0.001, rt60_low=1, rt60_high=1, turn=2000),
    lambda v: simulate.simulate(v),
    lambda v: simulate.simulate(room.build(size=(4, 3, 2)), layout=v),
    lambda v: room.build(plan=v, height=2),
    lambda v: room.build(size=(4, 3, 2), walls=v),
    lambda v: materials.surface_bands(v, materials.MATERIALS),
)
OF_SOUND: tuple[Callable[[Any], object], ...] = (
    lambda v: ImpulseResponse(v, RATE),
    lambda v: measure(v, RATE),
    lambda v: with_broadband(REPORT, v),
    lambda v: sweep_deconvolution.deconvolve(v, RATE, SWEEP),
    lambda v: sweep_deconvolution.deconvolve(SOUND, RATE, v),
    lambda v: burst.from_burst(v, RATE),
    lambda v: identify.identify(v, SOUND, RATE, 0.1),
    lambda v: identify.identify(SOUND, v, RATE, 0.1),
)


@pytest.mark.parametrize("door", OF_A_RESPONSE)
@pytest.mark.parametrize("value", [*NONSENSE, SOUND])
def test_what_is_no_response(door: Callable[[Any], object], value: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        door(value)


@pytest.mark.parametrize("door", OF_A_NUMBER)
@pytest.mark.parametrize("value", NOT_A_NUMBER)
def test_what_is_no_number(door: Callable[[Any], object], value: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        door(value)


@pytest.mark.parametrize("door", OF_SOMETHING_ELSE)
@pytest.mark.parametrize("value", NONSENSE)
def test_what_is_no_name_or_value(door: Callable[[Any], object], value: object) -> None:
    with pytest.raises(ReverbError):
        door(value)


@pytest.mark.parametrize("door", OF_SOUND)
@pytest.mark.parametrize("value", NO_SOUND)
def test_what_is_no_sound(door: Callable[[Any], object], value: object) -> None:
    with pytest.raises(InvalidAudioError):
        door(value)


def test_a_factor_is_a_number() -> None:
    for factor in ("2", None, [2.0]):
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply"):
            _ = IR * factor  # type: ignore[operator]
    with pytest.raises(InvalidAudioError, match="NaN"):
        _ = IR * float("nan")
