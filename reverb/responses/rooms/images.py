"""Direct sound and early reflections: a filtered arrival from every image source at each microphone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array
from reverb.responses.rooms.air import energy_absorption
from reverb.responses.rooms.materials import OCTAVES
from reverb.responses.rooms.room import Room, capsules, sensitivity
from reverb.responses.spectra import minimum_phase

_FILTER_FRAMES = 4096  # of the filter of an arrival; resolves the lowest octave
_SINC_FRAMES = 16  # on either side of a fractional delay


@dataclass(frozen=True)
class Images:
    """Image sources of one source: their positions, numbers of reflections, and gains after the reflections.

    Shapes: `positions` (images, 3) in m, `orders` (images,), `gains` (octaves, images) of pressure.
    """

    positions: Array
    orders: npt.NDArray[np.int64]
    gains: Array


def specular_share(reflections: Array, relief: npt.ArrayLike, order: int) -> Array:
    """Return the share of energy that was reflected specularly only, after a number of reflections.

    Each reflection scatters the share `relief`. Towards `order`, where the image sources end, the share fades
    to 0, for a smooth transition to the diffuse field, which has the rest of the energy.

    Returns
    -------
    ndarray, shape (octaves, n)
    """
    fade = np.cos(np.pi / 2 * np.clip(2 * reflections / order - 1, 0, 1)) ** 2
    return np.asarray((1 - np.asarray(relief)[:, None]) ** reflections * fade)


def early_sound(
    room: Room, images: Images, frames: int, sample_rate: int, speed: float, origin: float
) -> Array:
    """Return the sound of all image sources at both microphones, `(frames, 2)`, from `origin` in seconds on.

    The pressure of a point source is 1 / distance; the filter of walls, scattering and air is minimum-phase, so that
    no sound arrives early.
    """
    share = specular_share(images.orders.astype(np.float64), room.relief, room.order)
    gains = images.gains * np.sqrt(share)
    out = np.zeros((frames + _FILTER_FRAMES, 2))
    frequencies = np.asarray(np.fft.rfftfreq(_FILTER_FRAMES, 1 / sample_rate), np.float64)
    air = room.air * energy_absorption(frequencies, room.temperature, room.humidity)
    for microphone, (place, axis) in enumerate(capsules(room)):
        paths = images.positions - place
        distances = np.linalg.norm(paths, axis=1)
        levels = sensitivity(paths / distances[:, None], axis, room.pair.directivity) / distances
        arrivals = (distances / speed - origin) * sample_rate
        audible = np.flatnonzero((arrivals < frames) & (levels * gains.max(axis=0) > 0))
        for i in audible:
            magnitude = (
                levels[i] * np.exp(-0.5 * air * distances[i]) * _interpolated(frequencies, gains[:, i])
            )
            _add_arrival(out[:, microphone], arrivals[i], minimum_phase(magnitude))
    return out[:frames]


def _interpolated(frequencies: Array, gains: Array) -> Array:
    """Return octave gains interpolated linearly in dB over log frequency."""
    octave = np.log2(np.maximum(frequencies, 1.0))
    return np.exp(np.interp(octave, np.log2(OCTAVES), np.log(np.maximum(gains, 1e-6))))


def _add_arrival(channel: Array, arrival: float, response: Array) -> None:
    """Add `response` at a fractional frame, without interpolation if the frame is whole."""
    whole = round(arrival)
    fraction = arrival - whole
    if abs(fraction) > 1e-4:
        n = np.arange(-_SINC_FRAMES, _SINC_FRAMES + 1)
        window = np.cos(np.pi / 2 * (n - fraction) / (_SINC_FRAMES + 1)) ** 2
        response = np.convolve(response, np.sinc(n - fraction) * window)
        whole -= _SINC_FRAMES
    first, last = max(whole, 0), min(whole + len(response), len(channel))
    channel[first:last] += response[first - whole : last - whole]
