"""A plate reverberator: the bending waves of a hanging steel sheet, one damped oscillator per mode."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_sample_rate
from reverb.choices import PLATE_LAYOUTS
from reverb.choices import PlateLayout as PlateLayout
from reverb.errors import ParameterError
from reverb.responses.direct_sound import onset
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.rooms.finishing import finish

Array = npt.NDArray[np.float64]

LEAD_IN = 24  # frames of fade before a start that is not a single impulse
CHUNK = 256  # modes summed at once


@dataclass(frozen=True, kw_only=True)
class Plate:
    """A thin steel sheet like that of the EMT 140, its damper part way in.

    Attributes
    ----------
    size : (float, float)
        Metres. Not quite 2 : 1, for that would pile modes on top of each other.
    thickness : float
        Metres.
    driver, left, right : (float, float)
        Where it is driven and picked up, in metres from a corner.
    rt60_low, rt60_high, turn : float
        Decay time in seconds at low and high frequencies, and the frequency in Hz between the two.
    highest : float
        Hz of the last mode.
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
        if not (all(0.1 <= side <= 5 for side in self.size) and 1e-4 <= self.thickness <= 0.01):
            raise ParameterError(
                f"plate {self.size} m, {self.thickness} m thick; expected sides of 0.1 to 5 m, 0.0001 to 0.01 m thick"
            )
        for point in (self.driver, self.left, self.right):
            if not all(0 < place < side for place, side in zip(point, self.size, strict=True)):
                raise ParameterError(
                    f"driver or pickup at {point} m; expected a place on the plate of {self.size} m"
                )
        for seconds in (self.rt60_low, self.rt60_high):
            if not 0.05 <= seconds <= 30:
                raise ParameterError(f"decay time {seconds:g} s; expected 0.05 to 30 s")


def sheet(
    size: tuple[float, float], thickness: float, *, rt60_low: float, rt60_high: float, turn: float
) -> Plate:
    """Return a plate of another size, driven and picked up at places in proportion; parameters as `Plate`."""
    usual = Plate()
    scale = np.divide(size, usual.size)

    def moved(point: tuple[float, float]) -> tuple[float, float]:
        return float(point[0] * scale[0]), float(point[1] * scale[1])

    return Plate(
        size=size,
        thickness=thickness,
        driver=moved(usual.driver),
        left=moved(usual.left),
        right=moved(usual.right),
        rt60_low=rt60_low,
        rt60_high=rt60_high,
        turn=turn,
    )


YOUNG = 2.0e11  # Pa, steel
POISSON = 0.3
DENSITY = 7850.0  # kg/m³


def stiffness(plate: Plate) -> float:
    """√(D / ρh) in m²/s: bending waves of wave number k swing at ω = κ k² (Fletcher & Rossing, 3.11)."""
    return float(plate.thickness * np.sqrt(YOUNG / (12 * DENSITY * (1 - POISSON**2))))


def decay_times(plate: Plate, frequencies: npt.ArrayLike) -> Array:
    """Decay time in seconds: thermal and damper losses below, radiation into air more and more above."""
    x = (np.asarray(frequencies, np.float64) / plate.turn) ** 1.1
    return np.asarray((1 + x) / (1 / plate.rt60_low + x / plate.rt60_high))


def render_plate(plate: Plate, sample_rate: int, frames: int) -> Array:
    """Velocity at the two pickups after a knock at the driver, `(frames, 2)`.

    The edges are taken as simply supported, so the modes are products of sines, and each rings on its own:
    h(t) = Σ φ(driver) φ(pickup) exp(−σt) cos(ωt). Velocity, as the density of modes is constant in frequency,
    has a white spectrum; dispersion (group velocity 2√(κω)) makes high frequencies arrive first.
    """
    frequencies, shapes = _modes(plate)
    omega = 2 * np.pi * frequencies
    sigma = 3 * np.log(10) / decay_times(plate, frequencies)
    driven = shapes(plate.driver)
    # Frame k·block + b of a mode is z^(k·block) · z^b, so a block of frames is one matrix product.
    block = 512
    blocks = -(-frames // block)
    sums = np.zeros((2, blocks, block))
    step = (-sigma + 1j * omega) / sample_rate
    weights = driven * _electronics(plate, frequencies) * np.stack([shapes(plate.left), shapes(plate.right)])
    for first in range(0, len(omega), CHUNK):
        part = slice(first, first + CHUNK)
        within = np.exp(step[part, None] * np.arange(block))
        starts = np.exp(step[part, None] * (np.arange(blocks) * block))
        for pickup in range(2):
            sums[pickup] += ((weights[pickup, part, None] * starts).T @ within).real
    return sums.reshape(2, -1)[:, :frames].T


def plate_samples(plate: Plate, sample_rate: int) -> Array:
    """Return the plate's finished sound, `(frames, 2)`, from just before its first bending waves arrive."""
    sound = render_plate(plate, sample_rate, round(1.8 * max(plate.rt60_low, plate.rt60_high) * sample_rate))
    start = max(onset(sound) - LEAD_IN, 0)
    sound = sound[start:]
    sound[:LEAD_IN] *= np.sin(np.linspace(0, np.pi / 2, LEAD_IN, endpoint=False))[:, None] ** 2
    return finish([sound], sample_rate)


def synthesise_plate(
    plate: Plate, sample_rate: int = 48_000, layout: PlateLayout = "stereo"
) -> ImpulseResponse:
    """Return the response of a plate.

    Parameters
    ----------
    plate : Plate
    sample_rate : int
        In Hz; modes end below its Nyquist frequency.
    layout : {'mono', 'stereo'}
        Mono has the left pickup only.

    Raises
    ------
    ParameterError
        If the layout is neither.
    """
    if layout not in PLATE_LAYOUTS:
        raise ParameterError(f"layout {layout!r}; a plate has one driver: mono or stereo")
    rate = as_sample_rate(sample_rate)
    sound = plate_samples(replace(plate, highest=min(plate.highest, 0.45 * rate)), rate)
    samples = sound[:, :1] if layout == "mono" else sound
    return owning(samples.astype(np.float32), rate, plate.name)


def _electronics(plate: Plate, frequencies: Array) -> Array:
    """Gain of driver, pickups and amplifiers: bass cut at 70 Hz, treble from 8 kHz, nothing past the last mode."""
    bass = frequencies**2 / (frequencies**2 + 70.0**2)
    treble = 1 / np.sqrt(1 + (frequencies / 8000.0) ** 2)
    return np.asarray(
        bass * treble * np.cos(np.pi / 2 * np.clip(frequencies / plate.highest * 6 - 5, 0, 1)) ** 2
    )


def _modes(plate: Plate) -> "tuple[Array, Shapes]":
    """Frequencies in Hz of all modes up to the highest, and their shapes."""
    kappa = stiffness(plate)
    most = np.sqrt(2 * np.pi * plate.highest / kappa) / np.pi
    m, n = np.meshgrid(*(np.arange(1, int(most * side) + 1) for side in plate.size), indexing="ij")
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
