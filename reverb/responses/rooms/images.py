"""Direct sound and early reflections: every image source as one filtered arrival at each microphone."""

import numpy as np
import numpy.typing as npt

from reverb.responses.minimum_phase import minimum_phase
from reverb.responses.rooms.air import energy_absorption
from reverb.responses.rooms.microphones import capsules, sensitivity
from reverb.responses.rooms.room import OCTAVES, Room
from reverb.responses.rooms.tracing import Images

Array = npt.NDArray[np.float64]

FILTER = 4096  # frames of one arrival's filter: fine enough for the lowest octave
SINC = 16  # frames on either side of a fractional delay


def specular_share(reflections: Array, relief: npt.ArrayLike, order: int) -> Array:
    """Share of energy that has been reflected like light only, after so many reflections.

    Each reflection scatters the share `relief`. Towards `order`, where the image sources end, the share fades
    to nothing, so that the diffuse field, which takes the rest, takes over without a step.

    Returns
    -------
    ndarray, shape (octaves, n)
    """
    fade = np.cos(np.pi / 2 * np.clip(2 * reflections / order - 1, 0, 1)) ** 2
    return np.asarray((1 - np.asarray(relief)[:, None]) ** reflections * fade)


def early_sound(
    room: Room, images: Images, frames: int, sample_rate: int, speed: float, origin: float
) -> Array:
    """All image sources at both microphones, `(frames, 2)`, time counted from `origin` seconds.

    A point source gives 1 / distance; walls, relief and air colour it with minimum phase, so that nothing
    sounds before its time.
    """
    share = specular_share(images.orders.astype(np.float64), room.relief, room.order)
    gains = images.gains * np.sqrt(share)
    out = np.zeros((frames + FILTER, 2))
    frequencies = np.asarray(np.fft.rfftfreq(FILTER, 1 / sample_rate), np.float64)
    air = room.air * energy_absorption(frequencies, room.temperature, room.humidity)
    for microphone, (place, axis) in enumerate(capsules(room)):
        paths = images.positions - place
        distances = np.linalg.norm(paths, axis=1)
        levels = sensitivity(paths / distances[:, None], axis, room.pair.directivity) / distances
        arrivals = (distances / speed - origin) * sample_rate
        audible = np.flatnonzero((arrivals < frames) & (levels * gains.max(axis=0) > 0))
        for i in audible:
            magnitude = levels[i] * np.exp(-0.5 * air * distances[i]) * _across(frequencies, gains[:, i])
            _add_arrival(out[:, microphone], arrivals[i], minimum_phase(magnitude))
    return out[:frames]


def _across(frequencies: Array, gains: Array) -> Array:
    """Octave gains drawn smoothly over all frequencies: straight lines in dB over log frequency."""
    octave = np.log2(np.maximum(frequencies, 1.0))
    return np.exp(np.interp(octave, np.log2(OCTAVES), np.log(np.maximum(gains, 1e-6))))


def _add_arrival(channel: Array, arrival: float, response: Array) -> None:
    """Add `response` at a fractional frame; an arrival on a whole frame stays a single impulse."""
    whole = round(arrival)
    fraction = arrival - whole
    if abs(fraction) > 1e-4:
        n = np.arange(-SINC, SINC + 1)
        window = np.cos(np.pi / 2 * (n - fraction) / (SINC + 1)) ** 2
        response = np.convolve(response, np.sinc(n - fraction) * window)
        whole -= SINC
    first, last = max(whole, 0), min(whole + len(response), len(channel))
    channel[first:last] += response[first - whole : last - whole]
