"""How responses combine: in series they convolve, in parallel they add, as matrices of sounds.

With ``A[i→k]`` the response from input i to output k: ``(A >> B)[i→o] = Σ_k A[i→k] * B[k→o]`` (``*`` is
convolution), and ``(A + B)[i→o] = A[i→o] + B[i→o]``, both taken at the same time zero.
"""

import numpy as np

from reverb.arrays import Audio
from reverb.engine import routing as wires
from reverb.engine.convolve import convolve
from reverb.errors import InvalidAudioError, ParameterError, shown
from reverb.responses.response import ImpulseResponse, fitting

Paths = dict[tuple[int, int], Audio]
_LOUDEST = 1e15
_MEMORY = 80 << 20
"""Bytes for a convolution: enough for 16 channels and a filter; long ones take shorter transforms."""


def series(first: ImpulseResponse, second: ImpulseResponse) -> ImpulseResponse:
    """Return the response of `first`, then `second`.

    Raises
    ------
    ParameterError
        If the sample rates differ.
    InvalidAudioError
        If `second` does not take as many channels as `first` gives.
    """
    _check_rates(first, second)
    name = " >> ".join(part.name for part in (first, second) if part.name)
    latency = first.latency + second.latency
    frames = first.frames + second.frames - 1
    wanted, what = np.result_type(first.samples, second.samples), f"a chain ({shown(name)})"
    _check_gain(first, second, what)
    if first.is_mono or second.is_mono:
        wide, narrow = (second, first) if first.is_mono else (first, second)
        dtype = fitting(frames, wide.channels, wanted, what)
        rows = wide.samples.astype(dtype, copy=False), narrow.samples[:, 0].astype(dtype, copy=False)
        samples = convolve(*rows, memory=_MEMORY)
        samples.setflags(write=False)
        return ImpulseResponse(samples, first.sample_rate, name, wide.wiring, latency)
    if first.wiring.outputs != second.wiring.inputs:
        raise InvalidAudioError(
            f"{first.name or 'the first response'} ({first.layout}) gives {first.wiring.outputs} channels, "
            f"{second.name or 'the second'} ({second.layout}) takes {second.wiring.inputs}; they must be equal"
        )
    joined = [(p, q) for p in first.wiring.paths for q in second.wiring.paths if p.output == q.input]
    # Where no output of the first is an input of the second there is silence, on a path of its own.
    pairs = sorted({(p.input, q.output) for p, q in joined}) or [(0, 0)]
    dtype = fitting(frames, len(pairs), wanted, what)
    samples = np.zeros((frames, len(pairs)), dtype)
    for p, q in joined:
        rows = (
            first.samples[:, p.response].astype(dtype, copy=False),
            second.samples[:, q.response].astype(dtype, copy=False),
        )
        samples[:, pairs.index((p.input, q.output))] += convolve(*rows, memory=_MEMORY)
    wiring = wires.from_pairs(first.wiring.inputs, second.wiring.outputs, pairs)
    samples.setflags(write=False)
    return ImpulseResponse(samples, first.sample_rate, name, wiring, latency)


def parallel(first: ImpulseResponse, second: ImpulseResponse) -> ImpulseResponse:
    """Return the response of `first` and `second` side by side, aligned at their time zero.

    A mono response beside a wider one stands on the diagonal: every input to the output of its number; one
    input goes to every output.

    Raises
    ------
    ParameterError
        If the sample rates differ.
    InvalidAudioError
        If their numbers of inputs or outputs differ.
    """
    _check_rates(first, second)
    name = " + ".join(part.name for part in (first, second) if part.name)
    latency = max(first.latency, second.latency)
    lead = [latency - part.latency for part in (first, second)]
    frames = max(offset + part.frames for offset, part in zip(lead, (first, second), strict=True))
    wide = second if first.is_mono else first
    beside = [_paths_beside(part, wide) for part in (first, second)]
    pairs = sorted({pair for paths in beside for pair in paths})
    wanted = np.result_type(first.samples, second.samples)
    dtype = fitting(frames, len(pairs), wanted, f"parallel branches ({shown(name)})")
    samples = np.zeros((frames, len(pairs)), dtype)
    for paths, offset in zip(beside, lead, strict=True):
        for pair, row in paths.items():
            samples[offset : offset + len(row), pairs.index(pair)] += row.astype(dtype, copy=False)
    wiring = wires.from_pairs(wide.wiring.inputs, wide.wiring.outputs, pairs)
    samples.setflags(write=False)
    return ImpulseResponse(samples, first.sample_rate, name, wiring, latency)


def _paths_beside(part: ImpulseResponse, wide: ImpulseResponse) -> Paths:
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


def _check_gain(first: ImpulseResponse, second: ImpulseResponse, what: str) -> None:
    """Refuse a product that could leave the range of float32: below the sum of the one times the other's peak."""
    short, long = sorted((first.samples, second.samples), key=len)
    most = max(float(np.abs(row).sum()) for row in short.T) * max(float(long.max()), -float(long.min()))
    if not most <= _LOUDEST:
        raise InvalidAudioError(
            f"{what} amplifies up to {most:.3g} times; expected at most {_LOUDEST:g}. Lower its gains"
        )


def _check_rates(first: ImpulseResponse, second: ImpulseResponse) -> None:
    if first.sample_rate != second.sample_rate:
        raise ParameterError(
            f"sample rates {first.sample_rate} Hz and {second.sample_rate} Hz differ; "
            f"bring one to the other's first, e.g. with .response({first.sample_rate})"
        )
