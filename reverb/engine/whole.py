"""Convolution of whole arrays: the function beside the streaming class."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, as_audio
from reverb.engine.overlap_add import OverlapAdd
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError, ParameterError

Mode = Literal["full", "same", "valid"]


def convolve(
    x: npt.ArrayLike,
    h: npt.ArrayLike,
    mode: Mode = "full",
    *,
    workers: int | None = None,
    memory: int | None = None,
) -> Audio:
    """Convolve a signal with a response along the frames.

    Parameters
    ----------
    x : array_like, shape (frames,) or (frames, channels)
        The signal.
    h : array_like, shape (taps,) or (taps, channels)
        One response for every channel of `x`, or one per channel. One channel of either meets each of the other.
    mode : {"full", "same", "valid"}
        ``full``: all ``frames + taps - 1``. ``same``: the `frames` in the middle of them. ``valid``: those for which
        the shorter of the two lies wholly within the longer.
    workers : int, optional
        Threads to compute with; as many as cores by default. The result does not depend on it.
    memory : int, optional
        Bytes to stay under, beside both arrays and the result, where that can be; no limit by default.

    Returns
    -------
    ndarray, shape (n,) if both are one-dimensional, else (n, channels)
        float32 if both are, else float64.

    Raises
    ------
    InvalidAudioError
        If an array is not sound, or the channels do not match.
    ParameterError
        If the mode or the number of workers is not one of the allowed.

    See Also
    --------
    reverb.engine.overlap_add.OverlapAdd : the same for a stream.

    Examples
    --------
    >>> convolve([1.0, 2.0, 3.0], [0.0, 1.0])
    array([0., 1., 2., 3.])
    """
    signal, response = as_audio(x, "x"), as_audio(h, "h")
    if mode not in get_args(Mode):
        raise ParameterError(f"mode {mode!r}; expected 'full', 'same' or 'valid'")
    if workers is not None and workers < 1:
        raise ParameterError(f"workers {workers}; expected at least 1, or None for all cores")
    flat = signal.ndim == response.ndim == 1
    columns = signal.reshape(len(signal), -1), response.reshape(len(response), -1)
    counts = {array.shape[1] for array in columns} - {1}
    if len(counts) > 1:
        raise InvalidAudioError(
            f"x has {columns[0].shape[1]} channels and h has {columns[1].shape[1]}; expected as many, or 1 of either"
        )
    full = _full(*columns, workers, memory)
    if mode != "full":  # the whole is returned itself: who keeps a view has to copy it
        start, stop = _span(mode, len(signal), len(response))
        full = full[start:stop]
    return full[:, 0] if flat else full


def _full(signal: Audio, response: Audio, workers: int | None, memory: int | None) -> Audio:
    # Convolution commutes: the longer array is the stream, so that the FFTs fit the shorter.
    stream, taps = (signal, response) if len(signal) >= len(response) else (response, signal)
    inputs, rows = stream.shape[1], taps.shape[1]
    outputs = max(inputs, rows)
    paths = tuple(Path(min(c, inputs - 1), c, min(c, rows - 1)) for c in range(outputs))
    engine = OverlapAdd(
        taps.T,
        Routing(inputs, outputs, paths),
        dtype=np.result_type(signal, response),
        length=len(stream),
        workers=workers,
        memory=memory,
        ahead=0 if workers == 1 else 1,
    )
    return engine.whole(stream)


def _span(mode: Mode, frames: int, taps: int) -> tuple[int, int]:
    """Return which frames of the full convolution "same" and "valid" keep."""
    if mode == "same":
        start = (taps - 1) // 2
        return start, start + frames
    shorter = min(frames, taps)
    return shorter - 1, max(frames, taps)
