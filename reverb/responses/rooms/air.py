"""Sound absorption of air after ISO 9613-1."""

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array

REFERENCE_TEMPERATURE = 293.15  # K
TRIPLE_POINT = 273.16  # K


def speed_of_sound(temperature: float) -> float:
    """Return the speed of sound in m/s at a temperature in °C (ISO 9613-1, annex A)."""
    return float(343.2 * np.sqrt((temperature + 273.15) / REFERENCE_TEMPERATURE))


def energy_absorption(frequencies: npt.ArrayLike, temperature: float, humidity: float) -> Array:
    """Return the energy attenuation of air per meter, at the standard pressure of 101.325 kPa.

    Parameters
    ----------
    frequencies : array_like
        In Hz.
    temperature : float
        In °C.
    humidity : float
        Relative, in percent.

    Returns
    -------
    ndarray
        m in 1/m: the energy of a plane wave falls as exp(−m x). ISO 9613-1:1993, equations (3) to (5), converted from
        decibels per meter to nepers of energy.
    """
    f = np.asarray(frequencies, np.float64)
    kelvin = temperature + 273.15
    relative = kelvin / REFERENCE_TEMPERATURE
    saturation = 10 ** (-6.8346 * (TRIPLE_POINT / kelvin) ** 1.261 + 4.6151)
    vapor = humidity * saturation
    oxygen = 24 + 4.04e4 * vapor * (0.02 + vapor) / (0.391 + vapor)
    nitrogen = relative**-0.5 * (9 + 280 * vapor * np.exp(-4.170 * (relative ** (-1 / 3) - 1)))
    relaxation = 0.01275 * np.exp(-2239.1 / kelvin) / (oxygen + f**2 / oxygen)
    relaxation += 0.1068 * np.exp(-3352.0 / kelvin) / (nitrogen + f**2 / nitrogen)
    decibels = 8.686 * f**2 * (1.84e-11 * np.sqrt(relative) + relative**-2.5 * relaxation)
    return np.asarray(decibels * np.log(10) / 10)
