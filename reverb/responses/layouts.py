"""The shape of an impulse response: which input each channel connects to which output, and the allowed size.

The usual wirings (`reverb.engine.routing`) follow from the number of channels:

=========  ===========  ===================================================
channels   layout       meaning
=========  ===========  ===================================================
1          mono         applied to every channel of the input
2          stereo       left → left, right → right
4          true-stereo  L→L, L→R, R→L, R→R
any        parallel     each channel to the output of its number, given explicitly
any        N×M          a matrix, given explicitly
=========  ===========  ===================================================
"""

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, as_audio
from reverb.engine import routing
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError, ParameterError, shown

MONO = routing.each(1)
STEREO = routing.parallel(2)
TRUE_STEREO = routing.matrix(2, 2)
LAYOUTS: dict[str, Routing] = {"mono": MONO, "stereo": STEREO, "true-stereo": TRUE_STEREO}
"""The wirings that follow from a number of channels."""
PARALLEL = "parallel"
MAX_SAMPLES = 1 << 24
"""Samples of an impulse response, all channels together."""
MAX_CHANNELS = 1024
"""Inputs or outputs of a wiring in a file: the limit of libsndfile."""
_MAX_MATRIX = 256


def parse_layout(text: str, channels: int) -> Routing:
    """Return the wiring for the name of a layout.

    Parameters
    ----------
    text : str
        ``mono``, ``stereo``, ``true-stereo``, ``parallel`` (each channel to the output of its number), or a full
        matrix such as ``2x4`` (inputs × outputs, channels ordered by input, then output).
    channels : int
        Number of channels of the response.

    Raises
    ------
    ParameterError
        If the text is none of these.

    Examples
    --------
    >>> parse_layout("2x4", 8).outputs
    4
    """
    if isinstance(text, str):
        if text in LAYOUTS:
            return LAYOUTS[text]
        if text == PARALLEL:
            return routing.parallel(channels)
        sizes = text.lower().replace("×", "x").split("x")
        if len(sizes) == 2 and all(size.isdecimal() and 1 <= int(size) <= _MAX_MATRIX for size in sizes):
            return routing.matrix(int(sizes[0]), int(sizes[1]))
    raise ParameterError(
        f"layout {shown(repr(text))}; expected {', '.join(LAYOUTS)}, {PARALLEL}, "
        f"or INPUTSxOUTPUTS such as 2x4 (at most {_MAX_MATRIX}x{_MAX_MATRIX})"
    )


def usual_wiring(channels: int, what: str = "an impulse response") -> Routing:
    """Return the wiring that follows from a number of channels.

    Raises
    ------
    InvalidAudioError
        If the number is not 1, 2 or 4. The message begins with `what` and names the choices.
    """
    for wiring in LAYOUTS.values():
        if wiring.responses == channels:
            return wiring
    raise InvalidAudioError(
        f"{what} has {channels} channels; expected 1 (mono), 2 (stereo) or 4 (true stereo: LL, LR, RL, RR). "
        f"Else give its layout (--layout, wiring=): {PARALLEL}, or a matrix as INPUTSxOUTPUTS such as 1x{channels}"
    )


def layout_name(wiring: Routing) -> str:
    """Return the name of a wiring: mono, stereo, true-stereo, parallel or N×M."""
    for name, known in LAYOUTS.items():
        if known == wiring:
            return name
    return PARALLEL if wiring == routing.parallel(wiring.inputs) else f"{wiring.inputs}×{wiring.outputs}"


def dtype_within_limit(frames: int, channels: int, dtype: npt.DTypeLike, what: str) -> npt.DTypeLike:
    """Return `dtype`, or float32 where float64 would exceed 64 MiB.

    The limit is 8 million samples in float64 and 16 million in float32: 3 minutes of stereo at 48 kHz, or 5 s of 64
    channels. Call this before allocating the samples.

    Raises
    ------
    InvalidAudioError
        If there are more than `MAX_SAMPLES` samples. The message begins with `what`.
    """
    samples = frames * channels
    if samples > MAX_SAMPLES:
        raise InvalidAudioError(
            f"{what} would have {frames} frames × {channels} channels; expected at most {MAX_SAMPLES} samples in all. "
            "Make it shorter, or use a lower sample rate"
        )
    return dtype if 2 * samples <= MAX_SAMPLES else np.float32


def as_columns(audio: npt.ArrayLike, name: str) -> Array:
    """Return sound as float64 of shape (frames, channels); errors are those of `as_audio` and call it by `name`."""
    array = np.asarray(as_audio(audio, name), np.float64)
    return array[:, np.newaxis] if array.ndim == 1 else array
