"""How the offline engine cuts a convolution: pure integers, chosen by a cost model.

A response of `taps` frames is cut into `partitions` of one length, a signal into blocks of `block` frames. Block
and partition spectra multiply and add, each output block takes one inverse FFT (uniformly partitioned
overlap-add: Gardner 1995, Wefers 2015 ch. 5). One partition is classic overlap-add, where the
FFT may be many times longer than the response; with more, the FFT is twice the block. Short FFTs
stay in the caches and short blocks waste little on a signal's end; fewer partitions multiply less.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reverb.engine.fft import LANES, Kind, good_size
from reverb.engine.machine import FILE_COSTS as COSTS

UNKNOWN_LENGTH = 1 << 26
"""Frames to assume of a signal whose length is not known."""
SEGMENT_FRAMES = 1 << 18
"""Frames of a segment, about: enough work for threads, little enough for the caches."""
BATCH_POINTS = 1 << 15
"""FFT points of a batch, about: enough work for one call, little enough for a core's own cache."""
_TOLERANCE = 1.1  # times the memory of the smallest plan


class Shape(NamedTuple):
    """The convolution to plan: everything that the choice of a plan depends on.

    Attributes
    ----------
    taps : int
        Frames of the response, at least 1.
    length : int or None
        Frames of the signal, None if not known. A wrong value costs time, never correctness.
    inputs, outputs, paths, responses : int
        Channels in use, convolutions, and rows of responses.
    itemsize : int
        Bytes of a sample, 4 or 8.
    """

    taps: int
    length: int | None
    inputs: int
    outputs: int
    paths: int
    responses: int
    itemsize: int = 4


class Plan(NamedTuple):
    """One way to do a convolution.

    Attributes
    ----------
    fft_size : int
        Points of each FFT, at least ``block + overlap``.
    block : int
        Frames of input per FFT.
    partitions : int
        Pieces of the response; each but the last has `block` taps if there are several.
    overlap : int
        Frames that the result of a block reaches into the next ones: the taps of a partition less one.
    batch : int
        Rows of one FFT call; divides `segment_blocks`.
    segment_blocks : int
        Blocks of a segment, which is processed at a time.
    fft : {"pocketfft", "fftw"}
        The library that transforms.
    keep_spectra : bool
        Whether the spectra of the response stay in memory, or are made anew for each segment to save it.
    """

    fft_size: int
    block: int
    partitions: int
    overlap: int
    batch: int
    segment_blocks: int
    fft: Kind = "pocketfft"
    keep_spectra: bool = True

    @property
    def bins(self) -> int:
        """Complex values of a spectrum."""
        return self.fft_size // 2 + 1

    @property
    def lanes(self) -> int:
        """Rows that one call transforms side by side, at the least to advantage."""
        return _lanes(self.fft)

    @property
    def segment(self) -> int:
        """Frames of a segment of input."""
        return self.segment_blocks * self.block

    @property
    def slots(self) -> int:
        """Spectra of input blocks in memory for each channel: the segments that output needs, and the next one."""
        return self.segment_blocks * (2 + -(-(self.partitions - 1) // self.segment_blocks))

    def __str__(self) -> str:
        """Say it in one line."""
        spectra = "" if self.keep_spectra else ", response spectra made anew for each segment"
        plural = "s" if self.partitions > 1 else ""
        return (
            f"{self.partitions} partition{plural}, blocks of {self.block} frames × {self.segment_blocks}, "
            f"FFT of {self.fft_size} points × {self.batch} by {self.fft}{spectra}"
        )


@functools.lru_cache(maxsize=256)
def choose(shape: Shape, memory: int | None = None, fftw_sizes: tuple[int, ...] = ()) -> Plan:
    """Return the cheapest plan, among those that need no more than `memory` bytes if it is given.

    If none is so small, return one that is little larger than the smallest. FFTW is considered for the given sizes.
    """
    plans = [*candidates(shape), *_with_fftw(shape, fftw_sizes)]
    if memory is not None and not any(footprint(plan, shape) <= memory for plan in plans):
        plans = list(candidates(shape, scarce=True))
        # The very smallest plan may take a hundred times as long as one a little larger.
        memory = max(memory, int(_TOLERANCE * min(footprint(plan, shape) for plan in plans)))
    if memory is not None:
        plans = [plan for plan in plans if footprint(plan, shape) <= memory]
    return min(plans, key=lambda plan: cost(plan, shape))


def candidates(shape: Shape, *, scarce: bool = False) -> Iterator[Plan]:
    """Yield the plans to consider; if memory is scarce, also some that take less memory and more time."""
    taps, length = shape.taps, shape.length
    if length is not None:  # the whole signal as one block
        block = max(length, 1)
        yield Plan(good_size(block + taps - 1), block, 1, taps - 1, 1, 1)
    for size in _sizes(2 * taps):  # classic overlap-add; a block is at least as long as its overlap
        yield _completed(shape, size, size - taps + 1, 1)
    for block in sorted({*_round_blocks(taps), *_fitted_blocks(taps)}):
        plan = _completed(shape, good_size(2 * block), block, -(-taps // block))
        yield plan
        if scarce:
            for blocks in range(LANES, 8 * LANES + 1, LANES):
                yield plan._replace(batch=LANES, segment_blocks=blocks, keep_spectra=False)


def _with_fftw(shape: Shape, sizes: Sequence[int]) -> Iterator[Plan]:
    """Yield plans with FFTs by FFTW, of the given sizes."""
    for size in sizes:
        if size >= 2 * shape.taps:
            yield _completed(shape, size, size - shape.taps + 1, 1, "fftw")
        else:
            yield _completed(shape, size, size // 2, -(-shape.taps // (size // 2)), "fftw")


def cost(plan: Plan, shape: Shape) -> float:
    """Estimate the time of a plan in ns on one core."""
    length = UNKNOWN_LENGTH if shape.length is None else max(shape.length, 1)
    blocks = -(-length // plan.block)
    finished = blocks + plan.partitions - 1
    passes = 1 if plan.keep_spectra else -(-finished // plan.segment_blocks)
    multiplies = shape.paths * plan.partitions * blocks
    moves = (shape.inputs * blocks + shape.outputs * finished) * (plan.block + plan.fft_size) / 2
    return (
        _fft_cost(plan, shape.responses * plan.partitions) * passes
        + _fft_cost(plan, blocks) * shape.inputs
        + _fft_cost(plan, finished) * shape.outputs
        + multiplies * plan.bins * COSTS.multiply_add
        + moves * COSTS.move
    )


def footprint(plan: Plan, shape: Shape, workers: int = 2) -> int:
    """Estimate the bytes that a plan needs, without the response itself."""
    kept = shape.responses * plan.partitions if plan.keep_spectra else workers * LANES
    spectra = kept + shape.inputs * plan.slots
    channels = shape.inputs + shape.outputs
    frames = channels * plan.segment + shape.outputs * 2 * plan.overlap
    accumulated = plan.batch if plan.keep_spectra else plan.segment_blocks
    scratch = (
        workers * (2 * plan.batch + LANES + 2 * accumulated) * plan.fft_size
    )  # LANES: within the FFT itself
    return shape.itemsize * (2 * plan.bins * spectra + frames + scratch)


def _sizes(minimum: int) -> Iterator[int]:
    """Yield fast FFT sizes from `minimum` up, a few per octave, to well past the best one."""
    size, largest = good_size(minimum), max(4 * good_size(minimum), 1 << 17)
    while size <= largest:
        yield size
        size = good_size(max(size + 2, size * 6 // 5))


def _round_blocks(taps: int) -> Iterator[int]:
    """Yield lengths of partitions, three per octave, that suit the FFT best."""
    octave = 256
    while octave < taps:
        yield from (block for block in (octave, octave * 5 // 4, octave * 3 // 2) if block < taps)
        octave *= 2


def _fitted_blocks(taps: int) -> Iterator[int]:
    """Yield lengths of partitions that cut the response evenly, so that none is half empty."""
    for partitions in range(2, min(16, taps // 512) + 1):
        yield good_size(2 * -(-taps // partitions)) // 2


def _lanes(fft: Kind) -> int:
    return LANES if fft == "pocketfft" else 1


def _completed(shape: Shape, size: int, block: int, partitions: int, fft: Kind = "pocketfft") -> Plan:
    """Complete a plan with the rows of an FFT call and the blocks of a segment: no more than there will be."""
    overlap = (block if partitions > 1 else shape.taps) - 1
    lanes = _lanes(fft)
    batch = lanes * max(1, min(16, BATCH_POINTS // size // lanes))
    # Half as many with FFTW, whose plans then stay in the cache.
    frames = SEGMENT_FRAMES if fft == "pocketfft" else SEGMENT_FRAMES // 2
    segment_blocks = batch * max(1, round(frames / (batch * block)))
    if shape.length is not None:
        blocks = -(-max(shape.length, 1) // block) + partitions - 1
        batch = min(batch, -(-blocks // lanes) * lanes)
        segment_blocks = min(segment_blocks // batch, -(-blocks // batch)) * batch
    return Plan(size, block, partitions, overlap, batch, segment_blocks, fft)


def _fft_cost(plan: Plan, rows: int) -> float:
    """Estimate the time of `rows` FFTs, in batches."""
    flops = 2.5 * plan.fft_size * math.log2(plan.fft_size)
    lanes = COSTS.lane_flop * max(
        1.0, math.pow(plan.fft_size / COSTS.near_fft, 0.25), plan.fft_size / COSTS.far_fft
    )
    if plan.fft == "fftw":
        return rows * flops * COSTS.fftw_flop + -(-rows // plan.batch) * COSTS.call
    if plan.batch < LANES:
        return rows * (flops * COSTS.single_flop + COSTS.call)
    full, rest = divmod(rows, LANES)
    if rest > 1:
        full, rest = full + 1, 0
    calls = -(-rows // plan.batch)
    return (
        full * LANES * flops * min(lanes, COSTS.single_flop)
        + rest * flops * COSTS.single_flop
        + calls * COSTS.call
    )
