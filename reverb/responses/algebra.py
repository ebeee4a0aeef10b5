"""How responses combine: in series they convolve, in parallel they add, as matrices of sounds.

With ``A[i→k]`` the response from input i to output k: ``(A >> B)[i→o] = Σ_k A[i→k] * B[k→o]`` (``*`` is
convolution), and ``(A + B)[i→o] = A[i→o] + B[i→o]``, both taken at the same time zero.
"""

import numpy as np

from reverb.arrays import Audio
from reverb.engine import routing as wires
from reverb.engine.whole import convolve
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse, check_size

Paths = dict[tuple[int, int], Audio]


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
    dtype = np.result_type(first.samples, second.samples)
    if first.is_mono or second.is_mono:
        wide, narrow = (second, first) if first.is_mono else (first, second)
        check_size(frames, wide.channels, dtype, f"a chain ({name})")
        samples = convolve(wide.samples, narrow.samples[:, 0])
        samples.setflags(write=False)
        return ImpulseResponse(samples, first.sample_rate, name, wide.wiring, latency)
    if first.wiring.outputs != second.wiring.inputs:
        raise InvalidAudioError(
            f"{first.name or 'the first response'} ({first.layout}) gives {first.wiring.outputs} channels, "
            f"{second.name or 'the second'} ({second.layout}) takes {second.wiring.inputs}; they must be equal"
        )
    joined = {
        (p.input, q.output) for p in first.wiring.paths for q in second.wiring.paths if p.output == q.input
    }
    check_size(frames, len(joined), dtype, f"a chain ({name})")
    summed: Paths = {}
    for i, k, row in first.wiring.paths:
        for k2, o, row2 in second.wiring.paths:
            if k == k2:
                product = convolve(first.samples[:, row], second.samples[:, row2])
                summed[i, o] = summed[i, o] + product if (i, o) in summed else product
    if not summed:  # no output of the first is an input of the second: silence, on a path of its own
        summed[0, 0] = np.zeros(frames, dtype)
    return _from_paths(summed, first.wiring.inputs, second.wiring.outputs, first.sample_rate, name, latency)


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
    dtype = np.result_type(first.samples, second.samples)
    check_size(frames, max(first.channels, second.channels), dtype, f"parallel branches ({name})")
    summed: Paths = {}
    for part, offset in zip((first, second), lead, strict=True):
        for pair, row in _paths_beside(part, wide).items():
            if pair not in summed:
                summed[pair] = np.zeros(frames, dtype)
            summed[pair][offset : offset + part.frames] += row
    return _from_paths(summed, wide.wiring.inputs, wide.wiring.outputs, first.sample_rate, name, latency)


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


def _from_paths(
    paths: Paths, inputs: int, outputs: int, sample_rate: int, name: str, latency: int
) -> ImpulseResponse:
    pairs = sorted(paths)
    wiring = wires.from_pairs(inputs, outputs, pairs)
    samples = np.stack([paths[pair] for pair in pairs], axis=1)
    samples.setflags(write=False)
    return ImpulseResponse(samples, sample_rate, name, wiring, latency)


def _check_rates(first: ImpulseResponse, second: ImpulseResponse) -> None:
    if first.sample_rate != second.sample_rate:
        raise ParameterError(
            f"sample rates {first.sample_rate} Hz and {second.sample_rate} Hz differ; "
            f"bring one to the other's first, e.g. with .response({first.sample_rate})"
        )
