"""Rooms from geometry and materials: image sources first, then a ray-traced diffuse field.

pyroomacoustics (extra `rooms`) finds the image sources and traces the rays; `images` and `diffuse` render the sound
at the microphones.
"""

import warnings
from typing import Any

import numpy as np

from reverb.arrays import Array, as_sample_rate
from reverb.checks import instance
from reverb.choices import Layout
from reverb.errors import missing_extra
from reverb.responses.bands import band_pass
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.rooms.air import energy_absorption, speed_of_sound
from reverb.responses.rooms.diffuse import Echogram, Envelopes, decay_rate, diffuse_sound
from reverb.responses.rooms.images import Images, early_sound
from reverb.responses.rooms.materials import OCTAVES, Bands, as_bands
from reverb.responses.rooms.room import (
    Room,
    capsules,
    floor_area,
    mean_free_path,
    perimeter,
    source_positions,
    with_microphones,
)

RAYS = 100_000
"""Rays per traced room."""
_BIN_SECONDS = 0.004
_RAYS_ONLY = -1  # pyroomacoustics' order of image sources for none
_MAX_MISS = 0.1  # relative error of a decay time that is not worth a warning
_MIN_FALL = np.log(10)  # least nepers by which walls reduce traced energy; less could not be measured
_MAX_ABSORPTION = 0.99
_PEAK_DB = -1.0
_END_DB = -90.0  # level of the rest in each octave at which a response is cut
_FADE_SECONDS = 0.08
_HIGH_PASS_HZ = 22.0  # below, image sources add up to a pressure that no loudspeaker produces


def simulate(room: Room, sample_rate: int = 48_000, layout: Layout = "stereo") -> ImpulseResponse:
    """Return the impulse response of a room between its source and its microphones.

    Parameters
    ----------
    room : Room
    sample_rate : int
        In Hz.
    layout : {'mono', 'stereo', 'true-stereo'}
        Mono has one omnidirectional microphone at the center of the pair; true stereo has two sources.

    Returns
    -------
    ImpulseResponse
        float32, peak −1 dBFS, the direct sound on frame 0. The same room gives the same samples.

    Raises
    ------
    MissingExtraError
        If pyroomacoustics is not installed.
    ParameterError
        If an argument is not allowed, or the surfaces do not absorb.

    Warns
    -----
    UserWarning
        If an octave misses its decay time by more than 10 %: absorption by air limits it at high frequencies, and
        walls absorb 99 % at most.

    Examples
    --------
    >>> from reverb.responses.rooms.room import build
    >>> simulate(build(size=(6, 4.5, 3), rt60=0.5))  # doctest: +SKIP
    <ImpulseResponse 'room': stereo, 28373 frames (0.591 s) at 48000 Hz>
    """
    rate = as_sample_rate(sample_rate)
    instance("room", room, Room, "a Room")
    room = with_microphones(room, layout)
    speed = speed_of_sound(room.temperature)
    scale, echogram = fit_absorption(room, speed)
    rng = np.random.default_rng(room.seed)
    centre, left, right = source_positions(room)
    sources = (left, right) if layout == "true-stereo" else (centre,)
    pairs = [
        at_microphones(room, trace_images(room, scale, source, speed), echogram, source, speed, rng, rate)
        for source in sources
    ]
    sound = finish(pairs, rate)
    samples = sound[:, :1] if layout == "mono" else sound
    return owning(samples.astype(np.float32), rate, room.name or "room")


def expected_rt60(room: Room) -> Bands:
    """Return the target decay times of a room per octave, or else those of its surfaces after Eyring (1930)."""
    if room.rt60 is not None:
        return room.rt60
    speed = speed_of_sound(room.temperature)
    ground, around = floor_area(room), perimeter(room) * room.height
    absorbed = ground * (np.array(room.floor) + room.ceiling) + around * np.array(room.walls)
    mean = np.clip(absorbed / (2 * ground + around), 0.005, 0.95)
    air = room.air * energy_absorption(OCTAVES, room.temperature, room.humidity)
    rates = speed * (-np.log(1 - mean) / mean_free_path(room) + air)
    return as_bands(6 * np.log(10) / rates)


def fit_absorption(room: Room, speed: float) -> tuple[Bands, Echogram]:
    """Return factors per octave for the absorption of all surfaces, and the ray-traced echogram.

    If the room has target decay times, the factors are adjusted until the traced room has them; else they are 1.
    """
    scale = np.ones(len(OCTAVES))
    seconds = 0.8 * max(expected_rt60(room))
    echogram = trace_echogram(room, as_bands(scale), seconds, speed)
    for _ in range(4 if room.rt60 else 0):
        reached = predicted_rt60(room, echogram, speed)
        walls = np.array([decay_rate(echogram.times, e) for e in echogram.energy])
        wanted = walls + 6 * np.log(10) * (1 / np.array(room.rt60) - 1 / reached)
        wanted = np.maximum(wanted, _MIN_FALL / seconds)
        scale *= np.maximum(wanted / walls, 0.2)
        echogram = trace_echogram(room, as_bands(scale), seconds, speed)
    if room.rt60:
        _warn_of_misses(np.array(room.rt60), predicted_rt60(room, echogram, speed))
    return as_bands(scale), echogram


def _warn_of_misses(targets: Array, reached: Array) -> None:
    missed = [
        f"{target:.2g} s at {centre:g} Hz (it becomes {found:.2g} s)"
        for centre, found, target in zip(OCTAVES, reached, targets, strict=True)
        if abs(found / target - 1) > _MAX_MISS
    ]
    if missed:
        warnings.warn(f"the room's air and walls do not allow {', '.join(missed)}", stacklevel=4)


def predicted_rt60(room: Room, echogram: Echogram, speed: float) -> Array:
    """Return the T30 per octave of the reflections, with the absorption by air over the width of the octave."""
    times = np.arange(0, 1.5 * max(expected_rt60(room)), 0.004)
    envelopes = Envelopes(room, echogram, speed)
    out = []
    for centre in OCTAVES:
        power = sum(
            envelopes.total(f, times) for f in np.linspace(centre / np.sqrt(2), centre * np.sqrt(2), 9)
        )
        energy = np.cumsum(np.asarray(power)[::-1])[::-1]
        level = 10 * np.log10(energy / energy[0])
        span = (level <= -5) & (level >= -35)
        out.append(-60 / np.polyfit(times[span], level[span], 1)[0])
    return np.array(out)


def at_microphones(
    room: Room,
    images: Images,
    echogram: Echogram,
    source: Array,
    speed: float,
    rng: np.random.Generator,
    sample_rate: int,
) -> Array:
    """Return one source at both microphones, `(frames, 2)`; frame 0 is the direct sound at the nearer one."""
    frames = round(1.8 * max(expected_rt60(room)) * sample_rate)
    origin = min(float(np.linalg.norm(source - place)) for place, _ in capsules(room)) / speed
    early = early_sound(room, images, frames, sample_rate, speed, origin)
    return early + diffuse_sound(room, echogram, frames, sample_rate, speed, origin, rng)


def finish(pairs: list[Array], sample_rate: int) -> Array:
    """Join channels, remove inaudibly low frequencies, cut and fade out at −90 dB, and set the peak to −1 dBFS."""
    from scipy.signal import butter, sosfilt

    sound = np.concatenate(pairs, axis=1)
    sound = sosfilt(butter(2, _HIGH_PASS_HZ, "highpass", fs=sample_rate, output="sos"), sound, axis=0)
    end = _end(sound, sample_rate)
    sound = sound[:end]
    fade = min(round(_FADE_SECONDS * sample_rate), len(sound))
    sound[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade))[:, None] ** 2
    return np.asarray(sound * (10 ** (_PEAK_DB / 20) / np.abs(sound).max()))


def _end(sound: Array, sample_rate: int) -> int:
    """Return the number of frames after which the rest is below −90 dB re the whole, in each octave and channel."""
    from scipy.signal import sosfilt

    ends = []
    for centre in OCTAVES:
        if centre * np.sqrt(2) >= 0.5 * sample_rate:
            break
        sections = band_pass(centre / np.sqrt(2), centre * np.sqrt(2), sample_rate)
        remaining = np.cumsum(sosfilt(sections, sound[::-1], axis=0) ** 2, axis=0)
        loud = remaining > remaining[-1] * 10 ** (_END_DB / 10)
        ends.append(len(sound) - int(loud.argmax(axis=0).min()))
    return max(ends)


def trace_images(room: Room, scale: Bands, source: Array, speed: float) -> Images:
    """Return the image sources up to the room's order that are visible from the microphones, without scattering."""
    model = _model(room, scale, speed, order=room.order)
    model.add_source(source)
    model.add_microphone(np.array(room.microphones))
    model.image_source_model()
    found = model.sources[0]
    visible = model.visibility[0][0].astype(bool)
    return Images(
        np.asarray(found.images, np.float64).T[visible],
        np.asarray(found.orders, np.int64)[visible],
        np.asarray(found.damping, np.float64)[: len(OCTAVES), visible],
    )


def trace_echogram(room: Room, scale: Bands, seconds: float, speed: float) -> Echogram:
    """Return the ray-traced echogram over `seconds`, without the direct sound."""
    pyroomacoustics = _pyroomacoustics()
    pyroomacoustics.random.seed(room.seed)
    model = _model(room, scale, speed, order=_RAYS_ONLY)
    model.set_ray_tracing(
        n_rays=RAYS,
        receiver_radius=min(1.0, room.height / 6),
        # An absolute threshold for single contributions; any usual value would cut the scattered ones.
        energy_thres=1e-20,
        time_thres=seconds,
        hist_bin_size=_BIN_SECONDS,
    )
    model.add_source(np.array(room.source))
    model.add_microphone(np.array(room.microphones))
    model.ray_tracing()
    histogram = np.asarray(model.rt_histograms[0][0][0], np.float64)[: len(OCTAVES)]
    histogram = histogram[:, : int(seconds / _BIN_SECONDS)]
    distance = float(np.linalg.norm(np.subtract(room.source, room.microphones)))
    direct = int(distance / speed / _BIN_SECONDS)
    histogram[:, direct - 1 : direct + 1] = 0.0
    # The tracer counts each reflection twice: it sends the scattered share s directly to the receiver, and then
    # continues the ray with the whole energy. So the field is too loud by (1 + s).
    histogram /= 1 + np.array(room.relief)[:, None]
    times = (np.arange(histogram.shape[1]) + 0.5) * _BIN_SECONDS
    return Echogram(np.asarray(times, np.float64), histogram / _BIN_SECONDS)


def _model(room: Room, scale: Bands, speed: float, order: int) -> Any:
    pyroomacoustics = _pyroomacoustics()

    def material(absorption: Bands) -> Any:
        scaled = np.minimum(np.multiply(absorption, scale), _MAX_ABSORPTION)
        centres = list(OCTAVES)
        return pyroomacoustics.Material(
            {"coeffs": list(scaled), "center_freqs": centres},
            {"coeffs": list(room.relief), "center_freqs": centres},
        )

    with warnings.catch_warnings():
        # It suggests a number of rays for its own, smaller receiver.
        warnings.simplefilter("ignore")
        model = pyroomacoustics.Room.from_corners(
            np.array(room.plan).T,
            fs=48_000,
            materials=[material(room.walls) for _ in room.plan],
            max_order=order,
            ray_tracing=order == _RAYS_ONLY,
        )
        model.extrude(
            room.height,
            materials={"floor": material(room.floor), "ceiling": material(room.ceiling)},
        )
    model.set_sound_speed(speed)
    return model


def _pyroomacoustics() -> Any:
    try:
        import pyroomacoustics
    except ImportError as error:
        raise missing_extra("rooms", "simulating rooms needs pyroomacoustics") from error
    return pyroomacoustics
