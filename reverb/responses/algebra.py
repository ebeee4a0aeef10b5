"""Operations on the samples of responses: in series, in parallel, and at another sample rate.

A response is a matrix of sounds. In series two matrices convolve, in parallel they add: with ``A[i→k]`` the response
from input i to output k, ``(A >> B)[i→o] = Σ_k A[i→k] * B[k→o]`` (``*`` is convolution), and
``(A + B)[i→o] = A[i→o] + B[i→o]``, aligned at their time zero.
"""

import math
from typing import NamedTuple

import numpy as np

from reverb.arrays import Audio
from reverb.engine import routing
from reverb.engine.convolve import convolve
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError, shown
from reverb.responses.layouts import MONO, dtype_within_limit, layout_name

Paths = dict[tuple[int, int], Audio]
_MAX_AMPLIFICATION = 1e15
_MEMORY = 80 << 20
"""Bytes for one convolution: enough for 16 channels and a filter; longer responses use shorter transforms."""
_RINGING_FLOOR = 10 ** (-150 / 20)
"""Level re the peak below which the resampler's ringing is cut off."""
_RINGING_FRAMES = 512


class Matrix(NamedTuple):
    """An impulse response without its sample rate: samples of shape (frames, channels), and their paths."""

    samples: Audio
    wiring: Routing
    latency: int
    name: str = ""

    @property
    def is_mono(self) -> bool:
        """Whether one channel serves every channel of any input."""
        return self.wiring == MONO

    @property
    def layout(self) -> str:
        """The name of the wiring."""
        return layout_name(self.wiring)


def series(first: Matrix, second: Matrix, name: str) -> Matrix:
    """Return the matrix of `first`, then `second`; errors call it by `name`.

    Raises
    ------
    InvalidAudioError
        If `second` has another number of inputs than `first` has outputs, or the result could overflow float32.
    """
    latency = first.latency + second.latency
    frames = len(first.samples) + len(second.samples) - 1
    wanted, what = np.result_type(first.samples, second.samples), f"a chain ({shown(name)})"
    _check_gain(first, second, what)
    if first.is_mono or second.is_mono:
        wide, narrow = (second, first) if first.is_mono else (first, second)
        dtype = dtype_within_limit(frames, wide.samples.shape[1], wanted, what)
        rows = wide.samples.astype(dtype, copy=False), narrow.samples[:, 0].astype(dtype, copy=False)
        samples = convolve(*rows, memory=_MEMORY)
        return Matrix(samples, wide.wiring, latency)
    if first.wiring.outputs != second.wiring.inputs:
        raise InvalidAudioError(
            f"{first.name or 'the first response'} ({first.layout}) gives {first.wiring.outputs} channels, "
            f"{second.name or 'the second'} ({second.layout}) takes {second.wiring.inputs}; they must be equal"
        )
    joined = [(p, q) for p in first.wiring.paths for q in second.wiring.paths if p.output == q.input]
    # If no output of the first is an input of the second, the result is one silent path.
    pairs = sorted({(p.input, q.output) for p, q in joined}) or [(0, 0)]
    dtype = dtype_within_limit(frames, len(pairs), wanted, what)
    samples = np.zeros((frames, len(pairs)), dtype)
    for p, q in joined:
        rows = (
            first.samples[:, p.response].astype(dtype, copy=False),
            second.samples[:, q.response].astype(dtype, copy=False),
        )
        samples[:, pairs.index((p.input, q.output))] += convolve(*rows, memory=_MEMORY)
    wiring = routing.from_pairs(first.wiring.inputs, second.wiring.outputs, pairs)
    return Matrix(samples, wiring, latency)


def parallel(first: Matrix, second: Matrix, name: str) -> Matrix:
    """Return the sum of two matrices, aligned at their time zero; errors call it by `name`.

    A mono response added to a wider one lies on the diagonal: each input feeds the output of its number, and a
    single input feeds every output.

    Raises
    ------
    InvalidAudioError
        If their numbers of inputs or outputs differ.
    """
    latency = max(first.latency, second.latency)
    lead = [latency - part.latency for part in (first, second)]
    frames = max(offset + len(part.samples) for offset, part in zip(lead, (first, second), strict=True))
    wide = second if first.is_mono else first
    summands = [_paths_in(part, wide) for part in (first, second)]
    pairs = sorted({pair for paths in summands for pair in paths})
    wanted = np.result_type(first.samples, second.samples)
    dtype = dtype_within_limit(frames, len(pairs), wanted, f"parallel branches ({shown(name)})")
    samples = np.zeros((frames, len(pairs)), dtype)
    for paths, offset in zip(summands, lead, strict=True):
        for pair, row in paths.items():
            samples[offset : offset + len(row), pairs.index(pair)] += row.astype(dtype, copy=False)
    wiring = routing.from_pairs(wide.wiring.inputs, wide.wiring.outputs, pairs)
    return Matrix(samples, wiring, latency)


def _paths_in(part: Matrix, wide: Matrix) -> Paths:
    """Return the samples of `part` by (input, output), in the shape of `wide`."""
    inputs, outputs = wide.wiring.inputs, wide.wiring.outputs
    if part.is_mono and not wide.is_mono:
        row = part.samples[:, 0]
        if inputs == outputs:
            return {(c, c): row for c in range(inputs)}
        if inputs == 1:
            return {(0, o): row for o in range(outputs)}
    if (part.wiring.inputs, part.wiring.outputs) != (inputs, outputs):
        raise InvalidAudioError(
            f"{part.layout} and {wide.layout} responses cannot be added: "
            "their numbers of inputs and outputs must be equal"
        )
    paths: Paths = {}
    for i, o, row_number in part.wiring.paths:
        row = part.samples[:, row_number]
        paths[i, o] = paths[i, o] + row if (i, o) in paths else row
    return paths


def _check_gain(first: Matrix, second: Matrix, what: str) -> None:
    """Raise InvalidAudioError if a product could overflow float32; Σ|first| · max|second| bounds its samples."""
    short, long = sorted((first.samples, second.samples), key=len)
    bound = max(float(np.abs(row).sum()) for row in short.T) * max(float(long.max()), -float(long.min()))
    if not bound <= _MAX_AMPLIFICATION:
        raise InvalidAudioError(
            f"{what} amplifies up to {bound:.3g} times; expected at most {_MAX_AMPLIFICATION:g}. Lower its gains"
        )


def resample(
    samples: Audio, source_rate: int, target_rate: int, latency: int, what: str = "the resampled response"
) -> tuple[Audio, int]:
    """Return the samples of a response at another sample rate, with the same frequency response, and their latency.

    The sum over a response approximates the integral over a continuous one, so the samples scale with the inverse
    of the rate: ``h'[n] = (rate / rate') · h(n / rate')``. The band limit is that of soxr at its very high quality
    (flat to 0.91 of the lower Nyquist frequency). Its linear-phase ringing before time zero is included and
    counted in the latency, because without it the frequency response near the band edge would change.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
    source_rate, target_rate : int
        In Hz.
    latency : int
        Frames of `samples` before time zero.
    what : str
        What to call the result in errors.

    Returns
    -------
    samples : ndarray, shape (new frames, channels)
    latency : int

    Raises
    ------
    InvalidAudioError
        If the result would have too many samples for a response.
    """
    import soxr

    common = math.gcd(source_rate, target_rate)
    step_in, step_out = source_rate // common, target_rate // common
    # Pad so that time zero lies exactly on a frame of both rates.
    ringing = math.ceil(_RINGING_FRAMES * max(1.0, source_rate / target_rate))
    steps = math.ceil((latency + ringing) / step_in)
    lead = steps * step_in - latency
    expected = round((lead + len(samples) + ringing) * target_rate / source_rate)
    dtype = dtype_within_limit(expected, samples.shape[1], samples.dtype, what)
    padded = np.pad(samples.astype(dtype, copy=False), ((lead, ringing), (0, 0)))
    resampled: Audio = soxr.resample(padded, source_rate, target_rate, quality="VHQ")
    resampled *= resampled.dtype.type(source_rate / target_rate)
    zero = steps * step_out

    magnitude = np.zeros(len(resampled), resampled.dtype)
    for channel in resampled.T:  # faster than np.abs(resampled).max(axis=1), and without its copy
        np.maximum(magnitude, np.abs(channel), out=magnitude)
    sounding = np.flatnonzero(magnitude > magnitude.max() * _RINGING_FLOOR)
    first, last = (int(sounding[0]), int(sounding[-1])) if len(sounding) else (zero, zero)
    first = min(first, zero)
    return resampled[first : max(last, zero) + 1], zero - first
