"""Rooms by figures: decay times, size, distance, early reflections and density say what a room does to sound.

The figures stand for a box of the proportions 1.6 : 1.25 : 1 whose surfaces take what the decay times ask for. Its
first reflections are those of its mirror images, the rest is a diffuse field of the energy and the slope that
statistical acoustics gives such a room (Barron & Lee 1988; Kuttruff, Room Acoustics, 4.2 and 5.1). At last the decay
times are measured and brought to their targets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_sample_rate
from reverb.checks import one_of
from reverb.errors import ParameterError
from reverb.responses.decay.shaping import with_rt60
from reverb.responses.layouts import LAYOUTS, Layout
from reverb.responses.response import ImpulseResponse, derived, owning
from reverb.responses.rooms.air import speed_of_sound
from reverb.responses.rooms.building import FLAT_RELIEF, octaves
from reverb.responses.rooms.finishing import finish
from reverb.responses.rooms.microphones import source_positions, with_microphones
from reverb.responses.rooms.room import OCTAVES, Bands, Pair, Room, mean_free_path, shoebox, volume
from reverb.responses.rooms.simulate import at_pair
from reverb.responses.rooms.tracing import Decay, Images

Array: TypeAlias = npt.NDArray[np.float64]

PROPORTIONS = (1.6, 1.25, 1.0)
_ORDER = 6
_BIN = 0.004
_SIZES = (1.5, 120.0)
_DENSITIES = (0.01, 4.0)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a room shall be like.

    Attributes
    ----------
    rt60 : float or mapping of float to float
        T30 in seconds, 0.05 to 30: one for all octaves, or by octave centre in Hz (125 to 8000); octaves between
        the named ones lie on lines over log frequency, those beyond are like the nearest.
    size : float
        Cube root of the volume, in metres, 1.5 to 120: when reflections come, and how dense they grow.
    distance : float, optional
        From source to microphones in metres, up to 0.7 of the room's length; 0.3 of it by default. Near is clear.
    early_db : float
        Level of the early reflections against the room's own, in dB, −inf to 20.
    density : float
        Of the diffuse field: 1 is smooth as in a real room, less is grainy, down to 0.01 and up to 4.
    spacing, angle : float
        Of the stereo pair: metres between the cardioids, degrees by which each is turned outwards.
    seed : int
        Of all chance; the same figures give the same samples.
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
        _check("size", self.size, _SIZES, "m")
        _check("density", self.density, _DENSITIES, "")
        octaves(self.rt60)
        if np.isnan(self.early_db) or self.early_db > 20:
            raise ParameterError(f"early reflections {self.early_db} dB; expected a number up to 20")
        _check("distance", self.apart, (0.2, 0.7 * self.sides[0]), "m")
        _check("spacing", self.spacing, (0.0, 2.0), "m")
        if self.seed < 0:
            raise ParameterError(f"seed {self.seed}; expected 0 or more")

    @property
    def sides(self) -> tuple[float, float, float]:
        """Length, width and height of the box in metres."""
        scale = self.size / float(np.prod(PROPORTIONS)) ** (1 / 3)
        length, width, height = (side * scale for side in PROPORTIONS)
        return length, width, height

    @property
    def apart(self) -> float:
        """Metres between source and microphones."""
        return 0.3 * self.sides[0] if self.distance is None else self.distance

    def octaves(self) -> Bands:
        """Return the decay time in each octave from 125 Hz to 8 kHz."""
        return octaves(self.rt60)


def synthesise(figures: Figures, sample_rate: int = 48_000, layout: Layout = "stereo") -> ImpulseResponse:
    """Return a response of the stated figures.

    Parameters
    ----------
    figures : Figures
    sample_rate : int
        In Hz, at least 16000.
    layout : {'mono', 'stereo', 'true-stereo'}
        Mono hears with one microphone all around; true stereo has two sources at ±30°.

    Returns
    -------
    ImpulseResponse
        float32, peak −1 dBFS, the direct sound on frame 0; its T30 is within 3 % of the target in each octave.

    Raises
    ------
    ParameterError
        If a figure, the rate or the layout is out of range.
    """
    rate = as_sample_rate(sample_rate)
    if rate < 16_000:
        raise ParameterError(f"sample rate {rate} Hz; a room needs at least 16000 Hz, resample it afterwards")
    one_of("layout", layout, LAYOUTS)
    room = with_microphones(_box(figures), layout)
    speed = speed_of_sound(room.temperature)
    rng = np.random.default_rng(figures.seed)
    centre, left, right = source_positions(room)
    pairs = []
    for source in (left, right) if layout == "true-stereo" else (centre,):
        images = mirror_images(figures, source, speed)
        pairs.append(at_pair(room, images, _diffuse(room, speed), source, speed, rng, rate))
    sound = finish(pairs, rate)
    samples = sound[:, :1] if layout == "mono" else sound
    response = owning(samples, rate, "room")
    targets = {hz: t for hz, t in zip(OCTAVES, figures.octaves(), strict=True) if 1.5 * hz < 0.48 * rate}
    shaped = with_rt60(response, targets, figures.seed)
    peak = float(np.abs(shaped.samples).max() / 10 ** (-1 / 20))
    return derived(shaped, (shaped.samples / peak).astype(np.float32))


def mirror_images(figures: Figures, source: Array, speed: float) -> Images:
    """Return the mirror images of a source in the box, the early ones at their level (Allen & Berkley 1979)."""
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
    level = np.where(count > 0, 10 ** (figures.early_db / 20), 1.0)
    return Images(np.array(positions, np.float64), count, level * np.exp(-lost))


def _diffuse(room: Room, speed: float) -> Decay:
    """Reflected energy per second at a distance of 1 m's scale: 4π c / V · exp(−k t), from the first reflection on."""
    assert room.rt60 is not None
    rates = 6 * np.log(10) / np.array(room.rt60)
    times = (np.arange(int(0.8 * max(room.rt60) / _BIN) + 20) + 0.5) * _BIN
    energy = 4 * np.pi * speed / volume(room) * np.exp(-rates[:, np.newaxis] * times)
    return Decay(np.asarray(times), np.asarray(energy))


def _box(figures: Figures) -> Room:
    length, width, height = figures.sides
    # Off the middle everywhere, so that no two reflections fall together.
    ahead, aside = 0.5 * figures.apart, 0.06 * width
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
        air=0.0,  # the decay times say all
        order=_ORDER,
        density=figures.density,
        seed=figures.seed,
    )


def _check(what: str, value: float, allowed: tuple[float, float], unit: str) -> None:
    if not allowed[0] <= value <= allowed[1]:
        raise ParameterError(
            f"{what} {value:g} {unit}".rstrip() + f"; expected {allowed[0]:g} to {allowed[1]:g}"
        )
