"""Rooms from figures: decay times, size, distance, early reflections and density.

The figures describe a box of the proportions 1.6 : 1.25 : 1 with surfaces that give the decay times. Its
first reflections are those of image sources; the rest is a diffuse field with the energy and the slope of such a room
in statistical acoustics (Barron & Lee 1988; Kuttruff, Room Acoustics, 4.2 and 5.1). Finally the decay
times are measured and corrected.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from reverb.arrays import Array, as_sample_rate
from reverb.checks import in_range, instance, one_of, whole
from reverb.choices import Layout
from reverb.errors import ParameterError
from reverb.levels import from_db
from reverb.responses.decay.shaping import with_rt60
from reverb.responses.layouts import LAYOUTS
from reverb.responses.response import ImpulseResponse, derived, owning
from reverb.responses.rooms.air import speed_of_sound
from reverb.responses.rooms.diffuse import Echogram
from reverb.responses.rooms.images import Images
from reverb.responses.rooms.materials import FLAT_RELIEF, OCTAVES, Bands, octave_times
from reverb.responses.rooms.room import (
    Pair,
    Room,
    mean_free_path,
    shoebox,
    source_positions,
    volume,
    with_microphones,
)
from reverb.responses.rooms.simulate import at_microphones, finish
from reverb.responses.tail import MAX_SEED

PROPORTIONS = (1.6, 1.25, 1.0)
MIN_SAMPLE_RATE = 16_000
_ORDER = 6
_BIN_SECONDS = 0.004
_MIN_SIZE, _MAX_SIZE = 1.5, 120.0
_MIN_DENSITY, _MAX_DENSITY = 0.01, 4.0
_MAX_EARLY_DB = 20.0
_MIN_DISTANCE, _MAX_DISTANCE_SHARE = 0.2, 0.7
_DEFAULT_DISTANCE_SHARE = 0.3
_PEAK_DB = -1.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of a room to be synthesized.

    Attributes
    ----------
    rt60 : float or mapping of float to float
        T30 in seconds, 0.05 to 30: for all octaves, or by octave center in Hz (125 to 8000). Other octaves are
        interpolated over log frequency between those given, and are equal to the nearest one outside.
    size : float
        Cube root of the volume in meters, 1.5 to 120. It determines the delays and the density of reflections.
    distance : float, optional
        From source to microphones in meters, 0.2 m to 0.7 of the length of the room; 0.3 of it by default. A shorter
        distance gives a clearer sound.
    early_db : float
        Change of the level of the early reflections in dB, −inf to 20.
    density : float
        Density of the diffuse field, 0.01 to 4: 1 is that of a real room, low values are grainy.
    spacing, angle : float
        Of the stereo pair: meters between the cardioids, 0 to 2, and degrees by which each is turned outwards.
    seed : int
        Seed of the random numbers; the same figures give the same samples.

    Raises
    ------
    ParameterError
        If a figure is not allowed.
    """

    rt60: float | Mapping[float, float] = field(default=1.5)
    size: float = 12.0
    distance: float | None = None
    early_db: float = 0.0
    density: float = 1.0
    spacing: float = 0.4
    angle: float = 50.0
    seed: int = 0

    def __post_init__(self) -> None:
        in_range("size", self.size, _MIN_SIZE, _MAX_SIZE, "m")
        in_range("density", self.density, _MIN_DENSITY, _MAX_DENSITY)
        octave_times(self.rt60)
        in_range("early reflections", self.early_db, -math.inf, _MAX_EARLY_DB, "dB")
        longest = _MAX_DISTANCE_SHARE * self.sides[0]
        in_range("distance", self.actual_distance, _MIN_DISTANCE, longest, "m")
        in_range("spacing", self.spacing, 0, 2, "m")
        in_range("angle", self.angle, -180, 180, "degrees")
        whole("seed", self.seed, 0, MAX_SEED)

    @property
    def sides(self) -> tuple[float, float, float]:
        """Length, width and height of the box in meters."""
        scale = self.size / float(np.prod(PROPORTIONS)) ** (1 / 3)
        length, width, height = (side * scale for side in PROPORTIONS)
        return length, width, height

    @property
    def actual_distance(self) -> float:
        """Distance between source and microphones in meters."""
        return _DEFAULT_DISTANCE_SHARE * self.sides[0] if self.distance is None else self.distance

    def octaves(self) -> Bands:
        """Return the decay time in each octave from 125 Hz to 8 kHz."""
        return octave_times(self.rt60)


def synthesize(figures: Figures, sample_rate: int = 48_000, layout: Layout = "stereo") -> ImpulseResponse:
    """Return a response with the given figures.

    Parameters
    ----------
    figures : Figures
    sample_rate : int
        In Hz, at least 16000.
    layout : {'mono', 'stereo', 'true-stereo'}
        Mono has one omnidirectional microphone; true stereo has two sources at ±30°.

    Returns
    -------
    ImpulseResponse
        float32, peak −1 dBFS, the direct sound on frame 0; its T30 is within 3 % of the target in each octave.

    Raises
    ------
    ParameterError
        If an argument is not allowed.

    Examples
    --------
    >>> synthesize(Figures(rt60=0.3, size=4), 16_000, "mono").layout
    'mono'
    """
    instance("figures", figures, Figures, "Figures")
    rate = as_sample_rate(sample_rate)
    if rate < MIN_SAMPLE_RATE:
        raise ParameterError(
            f"sample rate {rate} Hz; a room needs at least {MIN_SAMPLE_RATE} Hz, resample the response afterwards"
        )
    one_of("layout", layout, LAYOUTS)
    room = with_microphones(_box(figures), layout)
    speed = speed_of_sound(room.temperature)
    rng = np.random.default_rng(figures.seed)
    centre, left, right = source_positions(room)
    pairs = []
    for source in (left, right) if layout == "true-stereo" else (centre,):
        images = mirror_images(figures, source, speed)
        pairs.append(at_microphones(room, images, _echogram(room, speed), source, speed, rng, rate))
    sound = finish(pairs, rate)
    samples = sound[:, :1] if layout == "mono" else sound
    response = owning(samples, rate, "room")
    targets = {hz: t for hz, t in zip(OCTAVES, figures.octaves(), strict=True) if 1.5 * hz < 0.48 * rate}
    shaped = with_rt60(response, targets, figures.seed)
    peak = float(np.abs(shaped.samples).max() / 10 ** (_PEAK_DB / 20))
    return derived(shaped, (shaped.samples / peak).astype(np.float32))


def mirror_images(figures: Figures, source: Array, speed: float) -> Images:
    """Return the image sources of a source in the box (Allen & Berkley 1979), with the level of early reflections."""
    sides = np.array(figures.sides)
    reach = range(-(_ORDER // 2) - 1, _ORDER // 2 + 2)
    positions, orders = [], []
    for cell in product(reach, repeat=3):
        for mirrored in product((0, 1), repeat=3):
            order = sum(abs(2 * n - q) for n, q in zip(cell, mirrored, strict=True))
            if order <= _ORDER:
                flip, n = 1 - 2 * np.array(mirrored), np.array(cell)
                positions.append(flip * source + 2 * n * sides)
                orders.append(order)
    count = np.array(orders)
    decay = 6 * np.log(10) / np.array(figures.octaves())
    lost = 0.5 * decay[:, np.newaxis] * mean_free_path(_box(figures)) / speed * count
    level = np.where(count > 0, from_db(figures.early_db), 1.0)
    return Images(np.array(positions, np.float64), count, level * np.exp(-lost))


def _echogram(room: Room, speed: float) -> Echogram:
    """Return the reflected energy per second re that of the direct sound at 1 m: 4π c / V · exp(−k t)."""
    assert room.rt60 is not None
    rates = 6 * np.log(10) / np.array(room.rt60)
    times = (np.arange(int(0.8 * max(room.rt60) / _BIN_SECONDS) + 20) + 0.5) * _BIN_SECONDS
    energy = 4 * np.pi * speed / volume(room) * np.exp(-rates[:, np.newaxis] * times)
    return Echogram(np.asarray(times), np.asarray(energy))


def _box(figures: Figures) -> Room:
    length, width, height = figures.sides
    # Asymmetric positions, so that no two reflections coincide.
    ahead, aside = 0.5 * figures.actual_distance, 0.06 * width
    heights = min(1.6, 0.45 * height), min(1.9, 0.55 * height)
    middle = 0.52 * length
    nothing: Bands = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Room(
        name="room",
        plan=shoebox(length, width),
        height=height,
        floor=nothing,
        ceiling=nothing,
        walls=nothing,
        relief=FLAT_RELIEF,
        source=(middle - ahead, 0.5 * width + 0.5 * aside, heights[0]),
        microphones=(middle + ahead, 0.5 * width - 0.4 * aside, heights[1]),
        pair=Pair(spacing=figures.spacing, angle=figures.angle),
        rt60=figures.octaves(),
        air=0.0,  # included in the decay times
        order=_ORDER,
        density=figures.density,
        seed=figures.seed,
    )


def __getattr__(name: str) -> Any:
    if name == "synthesise":
        warnings.warn("synthesise is now synthesize", DeprecationWarning, stacklevel=2)
        return synthesize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
