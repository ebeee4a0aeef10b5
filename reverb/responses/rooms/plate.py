"""A plate reverberator: bending waves of a suspended steel plate, as a sum of damped modes."""

import warnings
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, as_sample_rate
from reverb.checks import in_range, instance, is_number, one_of
from reverb.choices import PLATE_LAYOUTS, PlateLayout
from reverb.errors import ParameterError, shown
from reverb.responses.decay.decay import onset
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.rooms.simulate import finish

YOUNGS_MODULUS = 2.0e11  # Pa, steel
POISSONS_RATIO = 0.3
DENSITY = 7850.0  # kg/m³
_LEAD_FRAMES = 24  # of fade-in before the onset
_CHUNK = 256  # modes per matrix product
_BLOCK = 512  # frames per matrix product
_MIN_SIDE, _MAX_SIDE = 0.1, 5.0
_MIN_THICKNESS, _MAX_THICKNESS = 1e-4, 0.01
_MIN_RT60_SECONDS, _MAX_RT60_SECONDS = 0.05, 30.0


@dataclass(frozen=True, kw_only=True)
class Plate:
    """A thin steel plate like that of the EMT 140, with its damper at a medium position.

    Attributes
    ----------
    size : (float, float)
        In meters, 0.1 to 5 each. A ratio close to 2 : 1 would make modes coincide.
    thickness : float
        In meters, 0.0001 to 0.01.
    driver, left, right : (float, float)
        Positions of the driver and the two pickups, in meters from a corner.
    rt60_low, rt60_high, turn : float
        Decay times in seconds at low and high frequencies, 0.05 to 30, and the frequency in Hz between them.
    highest : float
        Frequency in Hz of the last mode, up to 100000.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """

    name: str = "plate"
    title: str = "Steel plate"
    description: str = "A suspended sheet of steel, 2 × 1 m and 0.5 mm, driven near its middle; two pickups."
    size: tuple[float, float] = (2.013, 0.981)
    thickness: float = 0.0005
    driver: tuple[float, float] = (0.88, 0.53)
    left: tuple[float, float] = (0.31, 0.37)
    right: tuple[float, float] = (1.63, 0.68)
    rt60_low: float = 3.6
    rt60_high: float = 1.1
    turn: float = 2600.0
    highest: float = 21_000.0

    def __post_init__(self) -> None:
        _check_size(self.size)
        in_range("thickness of the plate", self.thickness, _MIN_THICKNESS, _MAX_THICKNESS, "m")
        for name, point in (
            ("driver", self.driver),
            ("left pickup", self.left),
            ("right pickup", self.right),
        ):
            if not _is_pair(point) or not all(0 < x < side for x, side in zip(point, self.size, strict=True)):
                raise ParameterError(
                    f"{name} at {shown(repr(point))} m; expected a place on the plate of {self.size} m"
                )
        for name, seconds in (("low", self.rt60_low), ("high", self.rt60_high)):
            in_range(f"decay time at {name} frequencies", seconds, _MIN_RT60_SECONDS, _MAX_RT60_SECONDS, "s")
        in_range("turn", self.turn, 1, 100_000, "Hz")
        in_range("highest mode", self.highest, 1, 100_000, "Hz")


def plate_of_size(
    size: tuple[float, float], thickness: float, *, rt60_low: float, rt60_high: float, turn: float
) -> Plate:
    """Return a plate of another size, with driver and pickups at proportional positions; parameters as `Plate`."""
    usual = Plate()
    _check_size(size)
    scale = np.divide(size, usual.size)

    def scaled(point: tuple[float, float]) -> tuple[float, float]:
        return float(point[0] * scale[0]), float(point[1] * scale[1])

    return Plate(
        size=size,
        thickness=thickness,
        driver=scaled(usual.driver),
        left=scaled(usual.left),
        right=scaled(usual.right),
        rt60_low=rt60_low,
        rt60_high=rt60_high,
        turn=turn,
    )


def _check_size(size: object) -> None:
    if not _is_pair(size) or not all(_MIN_SIDE <= side <= _MAX_SIDE for side in size):
        raise ParameterError(
            f"plate of {shown(repr(size))} m; expected sides of {_MIN_SIDE:g} to {_MAX_SIDE:g} m"
        )


def _is_pair(values: object) -> TypeGuard[tuple[float, float]]:
    return isinstance(values, tuple | list) and len(values) == 2 and all(map(is_number, values))


def stiffness(plate: Plate) -> float:
    """Return κ = √(D / ρh) in m²/s: bending waves of wave number k have ω = κ k² (Fletcher & Rossing, 3.11)."""
    return float(plate.thickness * np.sqrt(YOUNGS_MODULUS / (12 * DENSITY * (1 - POISSONS_RATIO**2))))


def decay_times(plate: Plate, frequencies: npt.ArrayLike) -> Array:
    """Return decay times in seconds: thermal and damper losses at low frequencies, radiation into air at high ones."""
    x = (np.asarray(frequencies, np.float64) / plate.turn) ** 1.1
    return np.asarray((1 + x) / (1 / plate.rt60_low + x / plate.rt60_high))


def render_plate(plate: Plate, sample_rate: int, frames: int) -> Array:
    """Return the velocity at the two pickups after an impulse at the driver, `(frames, 2)`.

    With simply supported edges the modes are products of sines, and each decays independently:
    h(t) = Σ φ(driver) φ(pickup) exp(−σt) cos(ωt). As the density of modes is constant over frequency, the velocity
    has a white spectrum. By dispersion (group velocity 2√(κω)) high frequencies arrive first.
    """
    frequencies, shapes = _modes(plate)
    omega = 2 * np.pi * frequencies
    sigma = 3 * np.log(10) / decay_times(plate, frequencies)
    driven = shapes(plate.driver)
    # Frame k · block + b of a mode is z^(k · block) · z^b, so the sum over modes is a matrix product.
    blocks = -(-frames // _BLOCK)
    sums = np.zeros((2, blocks, _BLOCK))
    step = (-sigma + 1j * omega) / sample_rate
    weights = driven * _electronics(plate, frequencies) * np.stack([shapes(plate.left), shapes(plate.right)])
    for first in range(0, len(omega), _CHUNK):
        part = slice(first, first + _CHUNK)
        within = np.exp(step[part, None] * np.arange(_BLOCK))
        starts = np.exp(step[part, None] * (np.arange(blocks) * _BLOCK))
        for pickup in range(2):
            sums[pickup] += ((weights[pickup, part, None] * starts).T @ within).real
    return sums.reshape(2, -1)[:, :frames].T


def plate_samples(plate: Plate, sample_rate: int) -> Array:
    """Return the finished sound of the plate, `(frames, 2)`, from just before the first bending waves arrive."""
    sound = render_plate(plate, sample_rate, round(1.8 * max(plate.rt60_low, plate.rt60_high) * sample_rate))
    start = max(onset(sound) - _LEAD_FRAMES, 0)
    sound = sound[start:]
    sound[:_LEAD_FRAMES] *= np.sin(np.linspace(0, np.pi / 2, _LEAD_FRAMES, endpoint=False))[:, None] ** 2
    return finish([sound], sample_rate)


def synthesize_plate(
    plate: Plate, sample_rate: int = 48_000, layout: PlateLayout = "stereo"
) -> ImpulseResponse:
    """Return the response of a plate.

    Parameters
    ----------
    plate : Plate
    sample_rate : int
        In Hz; modes end below the Nyquist frequency.
    layout : {'mono', 'stereo'}
        Mono has the left pickup only. As there is one driver, there is no true stereo.

    Returns
    -------
    ImpulseResponse
        float32, peak −1 dBFS. The same plate gives the same samples.

    Raises
    ------
    ParameterError
        If an argument is not allowed.

    Examples
    --------
    >>> synthesize_plate(plate_of_size((1, 0.6), 0.001, rt60_low=0.3, rt60_high=0.2, turn=2000), 8000).layout
    'stereo'
    """
    instance("plate", plate, Plate, "a Plate")
    one_of("layout of a plate", layout, PLATE_LAYOUTS)
    rate = as_sample_rate(sample_rate)
    sound = plate_samples(replace(plate, highest=min(plate.highest, 0.45 * rate)), rate)
    samples = sound[:, :1] if layout == "mono" else sound
    return owning(samples.astype(np.float32), rate, plate.name)


def _electronics(plate: Plate, frequencies: Array) -> Array:
    """Return the gain of driver, pickups and amplifiers: cuts below 70 Hz and above 8 kHz, fading out at the end."""
    bass = frequencies**2 / (frequencies**2 + 70.0**2)
    treble = 1 / np.sqrt(1 + (frequencies / 8000.0) ** 2)
    return np.asarray(
        bass * treble * np.cos(np.pi / 2 * np.clip(frequencies / plate.highest * 6 - 5, 0, 1)) ** 2
    )


def _modes(plate: Plate) -> "tuple[Array, Shapes]":
    """Return the frequencies in Hz of all modes up to the highest, and their shapes."""
    kappa = stiffness(plate)
    per_meter = np.sqrt(2 * np.pi * plate.highest / kappa) / np.pi
    m, n = np.meshgrid(*(np.arange(1, int(per_meter * side) + 1) for side in plate.size), indexing="ij")
    wave_numbers = np.pi * np.stack([m.ravel() / plate.size[0], n.ravel() / plate.size[1]])
    frequencies = kappa * (wave_numbers**2).sum(axis=0) / (2 * np.pi)
    order = np.argsort(frequencies)
    kept = order[frequencies[order] <= plate.highest]
    return frequencies[kept], Shapes(wave_numbers[:, kept])


@dataclass(frozen=True)
class Shapes:
    """Mode shapes as products of sines; `wave_numbers` (2, modes) in rad/m."""

    wave_numbers: Array

    def __call__(self, point: tuple[float, float]) -> Array:
        """Return the displacement of every mode at a point."""
        return np.asarray(np.prod(np.sin(self.wave_numbers * np.array(point)[:, None]), axis=0))


def __getattr__(name: str) -> Any:
    if name == "synthesise_plate":
        warnings.warn("synthesise_plate is now synthesize_plate", DeprecationWarning, stacklevel=2)
        return synthesize_plate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
