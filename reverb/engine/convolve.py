"""Convolution of whole arrays."""

from __future__ import annotations

import os
from typing import Literal, TypeAlias, get_args, overload

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, Sample, as_audio
from reverb.checks import one_of, whole, worker_count
from reverb.engine.offline.convolver import MAX_MEMORY, OverlapAdd
from reverb.engine.parallel import ParallelMap
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError

Mode: TypeAlias = Literal["full", "same", "valid"]

_WORTH_THREADS = 1 << 17  # samples, below which a thread's start costs more than it saves


@overload
def convolve(
    x: npt.NDArray[Sample],
    h: npt.NDArray[Sample],
    mode: Mode = "full",
    *,
    workers: int | None = None,
    memory: int | None = None,
) -> npt.NDArray[Sample]: ...
@overload
def convolve(
    x: npt.ArrayLike,
    h: npt.ArrayLike,
    mode: Mode = "full",
    *,
    workers: int | None = None,
    memory: int | None = None,
) -> Audio: ...
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
        Bytes of working memory to stay under where possible, without the arrays and the result; no limit by default.

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
    reverb.engine.offline.convolver.OverlapAdd : the same for a stream.

    Examples
    --------
    >>> convolve([1.0, 2.0, 3.0], [0.0, 1.0])
    array([0., 1., 2., 3.])
    """
    signal, response = as_audio(x, "x"), as_audio(h, "h")
    one_of("mode", mode, get_args(Mode))
    workers = worker_count(workers)
    if memory is not None:
        memory = whole("memory", memory, 1, MAX_MEMORY, "bytes")
    flat = signal.ndim == response.ndim == 1
    columns = signal.reshape(len(signal), -1), response.reshape(len(response), -1)
    counts = {array.shape[1] for array in columns} - {1}
    if len(counts) > 1:
        raise InvalidAudioError(
            f"x has {columns[0].shape[1]} channels and h has {columns[1].shape[1]}; expected as many, or 1 of either"
        )
    full = _full(*columns, workers, memory)
    if mode != "full":  # a view of the full convolution, not a copy
        start, stop = _span(mode, len(signal), len(response))
        full = full[start:stop]
    return full[:, 0] if flat else full


def _full(signal: Audio, response: Audio, workers: int | None, memory: int | None) -> Audio:
    # Convolution commutes: the longer array is the stream, so that the FFTs fit the shorter.
    stream, taps = (signal, response) if len(signal) >= len(response) else (response, signal)
    inputs, rows = stream.shape[1], taps.shape[1]
    outputs = max(inputs, rows)
    out: Audio = np.empty((len(stream) + len(taps) - 1, outputs), np.result_type(signal, response))
    # With as many inputs as outputs the channels are independent, so each may have a thread.
    apart = inputs == outputs and memory is None
    works = [slice(c, c + 1) for c in range(outputs)] if apart else [slice(None)]
    workers = workers or os.cpu_count() or 1
    at_once = min(workers, len(works)) if stream.size >= _WORTH_THREADS else 1
    share = workers // at_once

    def convolve_channels(channels: slice, _: None) -> None:
        part, place = stream[:, channels], out[:, channels]
        own = taps[:, channels] if rows > 1 else taps
        engine = OverlapAdd(
            own.T,
            _parallel(part.shape[1], place.shape[1], own.shape[1]),
            dtype=out.dtype,
            length=len(stream),
            workers=share,
            memory=memory,
        )
        engine.convolve(part, place)

    ParallelMap(at_once, lambda: None)(convolve_channels, works)
    return out


def _parallel(inputs: int, outputs: int, rows: int) -> Routing:
    """Wire each output to the input and the response of its number, or to the only one."""
    paths = (Path(min(c, inputs - 1), c, min(c, rows - 1)) for c in range(outputs))
    return Routing(inputs, outputs, tuple(paths))


def _span(mode: Mode, frames: int, taps: int) -> tuple[int, int]:
    """Return which frames of the full convolution "same" and "valid" keep."""
    if mode == "same":
        start = (taps - 1) // 2
        return start, start + frames
    shorter = min(frames, taps)
    return shorter - 1, max(frames, taps)
