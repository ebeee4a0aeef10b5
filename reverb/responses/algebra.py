"""How responses combine: in series they convolve, in parallel they add, as matrices of sounds.

With ``A[i→k]`` the response from input i to output k: ``(A >> B)[i→o] = Σ_k A[i→k] * B[k→o]`` (``*`` is
convolution), and ``(A + B)[i→o] = A[i→o] + B[i→o]``, both taken at the same time zero.
"""

from typing import NamedTuple

import numpy as np

from reverb.arrays import Audio
from reverb.engine import routing
from reverb.engine.convolve import convolve
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError, shown
from reverb.responses.shape import MONO, dtype_within_limit, layout_name

Paths = dict[tuple[int, int], Audio]
_MAX_AMPLIFICATION = 1e15
_MEMORY = 80 << 20
"""Bytes for one convolution: enough for 16 channels and a filter; longer responses take shorter transforms."""


class Matrix(NamedTuple):
    """An impulse response without its sample rate: samples of shape (frames, channels) and the paths they serve."""

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
        If `second` does not take as many channels as `first` gives.
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
    # Where no output of the first is an input of the second there is silence, on a path of its own.
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
    """Return the matrix of `first` and `second` side by side, aligned at their time zero.

    A mono response beside a wider one stands on the diagonal: each input feeds the output of its number, and a
    single input feeds every output. Errors call the matrix by `name`.

    Raises
    ------
    InvalidAudioError
        If their numbers of inputs or outputs differ.
    """
    latency = max(first.latency, second.latency)
    lead = [latency - part.latency for part in (first, second)]
    frames = max(offset + len(part.samples) for offset, part in zip(lead, (first, second), strict=True))
    wide = second if first.is_mono else first
    beside = [_paths_beside(part, wide) for part in (first, second)]
    pairs = sorted({pair for paths in beside for pair in paths})
    wanted = np.result_type(first.samples, second.samples)
    dtype = dtype_within_limit(frames, len(pairs), wanted, f"parallel branches ({shown(name)})")
    samples = np.zeros((frames, len(pairs)), dtype)
    for paths, offset in zip(beside, lead, strict=True):
        for pair, row in paths.items():
            samples[offset : offset + len(row), pairs.index(pair)] += row.astype(dtype, copy=False)
    wiring = routing.from_pairs(wide.wiring.inputs, wide.wiring.outputs, pairs)
    return Matrix(samples, wiring, latency)


def _paths_beside(part: Matrix, wide: Matrix) -> Paths:
    """Return the paths of `part` by (input, output), in the shape of `wide`."""
    inputs, outputs = wide.wiring.inputs, wide.wiring.outputs
    if part.is_mono and not wide.is_mono:
        row = part.samples[:, 0]
        if inputs == outputs:
            return {(c, c): row for c in range(inputs)}
        if inputs == 1:
            return {(0, o): row for o in range(outputs)}
    if (part.wiring.inputs, part.wiring.outputs) != (inputs, outputs):
        raise InvalidAudioError(
            f"{part.layout} and {wide.layout} responses cannot stand in parallel: "
            "their numbers of inputs and outputs must be equal"
        )
    paths: Paths = {}
    for i, o, row_number in part.wiring.paths:
        row = part.samples[:, row_number]
        paths[i, o] = paths[i, o] + row if (i, o) in paths else row
    return paths


def _check_gain(first: Matrix, second: Matrix, what: str) -> None:
    """Refuse a product that could leave the range of float32: below the sum of the one times the other's peak."""
    short, long = sorted((first.samples, second.samples), key=len)
    most = max(float(np.abs(row).sum()) for row in short.T) * max(float(long.max()), -float(long.min()))
    if not most <= _MAX_AMPLIFICATION:
        raise InvalidAudioError(
            f"{what} amplifies up to {most:.3g} times; expected at most {_MAX_AMPLIFICATION:g}. Lower its gains"
        )
