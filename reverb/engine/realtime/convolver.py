"""Convolution of a stream, block by block, with no latency: the answer to a block comes from the same call.

Non-uniformly partitioned overlap-save in one thread. The plan (`reverb.engine.realtime.plan`) says which work falls
into which block; the stages (`reverb.engine.realtime.stages`) prepare it as calls without arguments; what is
left for `RealtimeConvolver.process` is to walk through them. A block creates no array.
"""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.engine.fft_plans import Array, BackendName, Step, backend
from reverb.engine.machine import known_costs
from reverb.engine.realtime.delay_line import Scratch
from reverb.engine.realtime.plan import Plan, plan_partitions
from reverb.engine.realtime.schedule import CostModel
from reverb.engine.realtime.shape import Shape
from reverb.engine.realtime.stages import Head, Kit, Program, Tail, Turn
from reverb.engine.routing import Routing
from reverb.errors import ParameterError

add = np.add


class RealtimeConvolver:
    """Convolve a stream of equal blocks with a matrix of responses.

    Owned by one thread. Everything is allocated, planned and tried out in the constructor.

    Parameters
    ----------
    responses : ndarray, shape (rows, taps)
        The impulse responses that the paths refer to.
    routing : Routing
        Which input feeds which output through which row; a path that is not listed costs nothing.
    block_size : int
        Frames per block, at least 1. Powers of two are the cheapest, sizes with a large prime factor the dearest.
    dtype : float32 or float64
        Of the blocks and of all arithmetic but the response's own transform, which is in double precision.
    fft : {'fftw', 'pocketfft', 'numpy'} or None
        The FFT backend; None takes the fastest that is installed.
    costs : CostModel, optional
        What the machine charges; by default what has been measured (`measure_costs`), or else built in.

    Attributes
    ----------
    plan : Plan
        The stages and the work of every slot.
    block_size, latency, tail : int
        Frames; `latency` is 0, `tail` is ``taps − 1``.
    routing : Routing
    dtype : numpy.dtype

    Notes
    -----
    Invariant: before block ``t``, `_places` stands at the part of the ring where the block goes, the tails have
    everything in their hand-off that the head needs for block ``t``, and each program stands at its entry for
    slot ``t``.
    """

    latency = 0

    def __init__(
        self,
        responses: Array,
        routing: Routing,
        block_size: int,
        dtype: npt.DTypeLike = np.float32,
        *,
        fft: BackendName | None = None,
        costs: CostModel | None = None,
    ) -> None:
        if block_size < 1:
            raise ParameterError(f"block_size is {block_size}; expected at least 1 frame")
        rows, taps = responses.shape
        assert rows >= routing.responses, (rows, routing)
        self.routing, self.block_size = routing, block_size
        self.tail: int = taps - 1
        self.dtype = np.dtype(dtype)
        transforms = backend(fft)
        self.plan: Plan = plan_partitions(block_size, taps, Shape.of(routing), costs or known_costs(fft))
        self._ring = np.zeros((routing.inputs, self.plan.stages[-1].size), self.dtype)
        scratch = Scratch(_scratch_size(self.plan), np.result_type(self.dtype, np.complex64))
        kit = Kit(self.plan, _audible(responses, self.dtype), routing, transforms, scratch, self.dtype)
        self._head = Head(kit)
        self._tails = [Tail(stage, kit) for stage in self.plan.stages[1:]]
        transforms.keep()
        self._programs, self._turns = self._prepare()
        self._slots = np.split(self._ring, self.plan.period, axis=1)
        self._steps: list[Iterator[tuple[Step, ...]]]
        self._turn: Iterator[Turn]
        self._places: Iterator[Array]
        self._silence = np.zeros((routing.inputs, block_size), self.dtype)
        self._sink = np.zeros((routing.outputs, block_size), self.dtype)
        self.reset()
        self.process(self._silence, self._sink)
        self.reset()

    def _prepare(self) -> tuple[list[Program], list[Turn]]:
        programs: list[Program] = []
        larger, size = None, 0
        for tail in reversed(self._tails):
            ratio = size // tail.stage.size if larger is not None else 1
            programs.append(tail.program(self._ring, larger, ratio))
            larger, size = tail.handoff, tail.stage.size
        return programs, self._head.program(larger, size // self.block_size or 1)

    def process(self, block: Array, out: Array) -> None:
        """Convolve one block.

        Parameters
        ----------
        block : ndarray, shape (inputs, block_size)
            Any strides; finite.
        out : ndarray, shape (outputs, block_size)
            Filled with the answer. May be `block` itself.
        """
        next(self._places)[...] = block
        for program in self._steps:
            for step in next(program):
                step()
        inlet, steps, result, share = next(self._turn)
        inlet[...] = block
        for step in steps:
            step()
        if share is None:
            out[...] = result
        else:
            add(result, share, out)

    def reset(self) -> None:
        """Forget all sound, as newly built."""
        self._ring[...] = 0
        self._head.clear()
        for tail in self._tails:
            tail.clear()
        # Not `cycle`, which would collect what it has passed. A program's first entry completes a partition.
        self._steps = [chain.from_iterable(repeat(program)) for program in self._programs]
        self._turn = chain.from_iterable(repeat(self._turns))
        self._places = chain.from_iterable(repeat(self._slots))
        for program in self._steps:
            next(program)

    def take_apart(self) -> None:
        """Free its thousands of prepared calls one by one; it is of no use after.

        At one go, the interpreter's lock would be kept for milliseconds, and an audio thread waiting.
        """
        self._steps, self._turn = [], iter(())
        everything: tuple[list[Any], ...] = (*self._programs, self._turns)
        for calls in everything:
            while calls:
                calls.pop()


def _audible(responses: Array, dtype: np.dtype[Any]) -> Array:
    """Clear what lies below the square of the rounding error, or a long decay would end in slow denormals."""
    floor = float(np.finfo(dtype).eps) ** 2 * np.abs(responses).max()
    return np.where(np.abs(responses) < floor, 0, responses)


def _scratch_size(plan: Plan) -> int:
    """Complex numbers of the largest product that any step forms."""
    size = 1
    for stage in plan.stages:
        for group in plan.shape.groups:
            widest = max((batch.stop - batch.start for batch in stage.batches(group)), default=0)
            size = max(size, group.paths * stage.rows * widest, group.paths * group.outputs * stage.columns)
    return size
