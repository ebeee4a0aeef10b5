"""Ask pyroomacoustics how sound travels through a room: image sources, and decays of ray-traced energy."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.errors import missing_extra
from reverb.responses.rooms.room import OCTAVES, Bands, Room

Array = npt.NDArray[np.float64]

RAYS = 100_000
BIN = 0.004  # s
_RAYS_ALONE = -1  # pyroomacoustics' order of image sources where none are wanted


@dataclass(frozen=True)
class Images:
    """Image sources of one source: where each stands, how often it was reflected, what the walls left of it.

    Shapes: `positions` (images, 3) in m, `orders` (images,), `gains` (octaves, images) of pressure.
    """

    positions: Array
    orders: npt.NDArray[np.int64]
    gains: Array


@dataclass(frozen=True)
class Decay:
    """Reflected energy per second at an omnidirectional receiver, relative to 1 at 1 m, without air.

    Shapes: `times` (bins,) seconds since emission, `energy` (octaves, bins).
    """

    times: Array
    energy: Array


def trace_images(room: Room, trim: Bands, source: Array, speed: float) -> Images:
    """Image sources up to the room's order that the microphones see; scattering is left to the caller."""
    model = _model(room, trim, speed, order=room.order)
    model.add_source(source)
    model.add_microphone(np.array(room.microphones))
    model.image_source_model()
    found = model.sources[0]
    seen = model.visibility[0][0].astype(bool)
    return Images(
        np.asarray(found.images, np.float64).T[seen],
        np.asarray(found.orders, np.int64)[seen],
        np.asarray(found.damping, np.float64)[: len(OCTAVES), seen],
    )


def trace_decay(room: Room, trim: Bands, seconds: float, speed: float) -> Decay:
    """Ray-traced decay over `seconds`, the direct sound left out."""
    pyroomacoustics = _pyroomacoustics()
    pyroomacoustics.random.seed(room.seed)
    model = _model(room, trim, speed, order=_RAYS_ALONE)
    model.set_ray_tracing(
        n_rays=RAYS,
        receiver_radius=min(1.0, room.height / 6),
        # The tracer compares this with single contributions, absolutely: any usual value cuts the diffuse rain.
        energy_thres=1e-20,
        time_thres=seconds,
        hist_bin_size=BIN,
    )
    model.add_source(np.array(room.source))
    model.add_microphone(np.array(room.microphones))
    model.ray_tracing()
    histogram = np.asarray(model.rt_histograms[0][0][0], np.float64)[: len(OCTAVES)]
    histogram = histogram[:, : int(seconds / BIN)]
    distance = float(np.linalg.norm(np.subtract(room.source, room.microphones)))
    direct = int(distance / speed / BIN)
    histogram[:, direct - 1 : direct + 1] = 0.0
    # Each reflection is counted twice by the tracer: its scattered share s goes straight to the receiver, and
    # the ray flies on with the whole energy. So the field comes out (1 + s) too loud.
    histogram /= 1 + np.array(room.relief)[:, None]
    return Decay(np.asarray((np.arange(histogram.shape[1]) + 0.5) * BIN, np.float64), histogram / BIN)


def _model(room: Room, trim: Bands, speed: float, order: int) -> Any:
    pyroomacoustics = _pyroomacoustics()

    def material(absorption: Bands) -> Any:
        tuned = np.minimum(np.multiply(absorption, trim), 0.99)
        centres = list(OCTAVES)
        return pyroomacoustics.Material(
            {"coeffs": list(tuned), "center_freqs": centres},
            {"coeffs": list(room.relief), "center_freqs": centres},
        )

    with warnings.catch_warnings():
        # It proposes a number of rays for its own small receiver; ours is larger.
        warnings.simplefilter("ignore")
        model = pyroomacoustics.Room.from_corners(
            np.array(room.plan).T,
            fs=48_000,
            materials=[material(room.walls) for _ in room.plan],
            max_order=order,
            ray_tracing=order == _RAYS_ALONE,
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
