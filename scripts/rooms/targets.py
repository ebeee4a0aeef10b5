"""The decay and clarity of a design per octave band, computed without a simulation."""

import numpy as np
import numpy.typing as npt

from reverb.responses.rooms.air import energy_absorption, speed_of_sound
from reverb.responses.rooms.plate import Plate, decay_times, stiffness
from reverb.responses.rooms.room import volume
from reverb.responses.rooms.simulate import expected_rt60
from rooms.designs import OCTAVES, Room

Array = npt.NDArray[np.float64]

EARLY = 0.080  # s
LINES = 15  # frequencies that represent an octave


def room_c80(room: Room) -> Array:
    """Return the clarity in dB per octave, by Barron & Lee's revised theory (J. Acoust. Soc. Am. 84, 1988).

    The theory has a direct sound, and reflected energy that decays exponentially from its arrival. Added here are the
    cardioids of the pair (a third of the diffuse field, the direct sound at their angle), and air absorption that
    varies across each octave.
    """
    speed = speed_of_sound(room.temperature)
    distance = float(np.linalg.norm(np.subtract(room.source, room.microphones)))
    delay = distance / speed
    gain = 0.25 * (1 + np.cos(np.radians(room.pair.angle))) ** 2
    walls = wall_rates(room, speed)
    out = []
    for center in OCTAVES:
        inside = _lines(center)
        air = energy_absorption(inside, room.temperature, room.humidity)
        rates = np.interp(np.log2(inside), np.log2(OCTAVES), walls) + speed * air
        direct = gain / distance**2 * np.exp(-air * distance)
        reflected = 4 * np.pi * speed / volume(room) / 3 * np.exp(-rates * delay) / rates
        late = reflected * np.exp(-rates * EARLY)
        out.append(10 * np.log10((direct + reflected - late).sum() / late.sum()))
    return np.array(out)


def wall_rates(room: Room, speed: float) -> Array:
    """Return the rates in 1/s at which the surfaces must absorb energy to reach the designed T30 in each octave."""
    wanted = 6 * np.log(10) / np.array(expected_rt60(room))
    walls = 0.5 * wanted
    for _ in range(12):
        walls = np.maximum(walls + wanted - _octave_rates(room, walls, speed), 0.05)
    return np.asarray(walls)


def _octave_rates(room: Room, walls: Array, speed: float) -> Array:
    """Return T30, as a rate in 1/s, of an exponential decay whose rate varies across each octave."""
    times = np.linspace(0, max(expected_rt60(room)), 500)
    out = []
    for center in OCTAVES:
        inside = _lines(center)
        air = energy_absorption(inside, room.temperature, room.humidity)
        rates = np.interp(np.log2(inside), np.log2(OCTAVES), walls) + speed * air
        energy = (np.exp(-rates[:, None] * times) / rates[:, None]).sum(axis=0)
        level = np.log(energy / energy[0])
        span = (level <= -0.5 * np.log(10)) & (level >= -3.5 * np.log(10))
        out.append(-np.polyfit(times[span], level[span], 1)[0])
    return np.array(out)


def _lines(center: float) -> Array:
    return np.linspace(center / np.sqrt(2), center * np.sqrt(2), LINES)


def plate_rt60(plate: Plate) -> Array:
    """Return the decay time in seconds per octave."""
    return decay_times(plate, OCTAVES)


def plate_c80(plate: Plate) -> Array:
    """Return the clarity in dB per octave of an exponential decay that starts when the bending waves arrive."""
    omega = 2 * np.pi * np.array(OCTAVES)
    distances = [np.hypot(*np.subtract(pickup, plate.driver)) for pickup in (plate.left, plate.right)]
    first = float(np.mean(distances)) / (2 * np.sqrt(stiffness(plate) * omega))
    rates = 6 * np.log(10) / plate_rt60(plate)
    return np.asarray(10 * np.log10(np.expm1(rates * (EARLY - first))))
