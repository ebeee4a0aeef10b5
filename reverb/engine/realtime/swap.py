"""Change the response of a running convolver without a click, by crossfade or by spillover.

Each response sounds through a `Voice`. In the steady state there is one, and blocks go straight to its engine. A swap
brings in a second voice. A *crossfade* fades the outputs: the new voice has first processed all input that the old one
still remembers, so that it sounds as if it had always been there. A *spillover* fades the inputs: new input moves to
the new voice, and the old one is heard until its tail has ended.

Two threads meet here without a lock. The control thread builds and warms the new voice and puts it into a mailbox; the
audio thread takes it at the start of a block. A later request replaces one whose fade has not begun.
"""

import time
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from reverb.arrays import Array
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.mailbox import Latest

Mode: TypeAlias = Literal["crossfade", "spillover"]
MODES: tuple[Mode, ...] = get_args(Mode)
Curve: TypeAlias = Literal["equal gain", "equal power"]
CURVES: tuple[Curve, ...] = get_args(Curve)

_MAX_VOICES = 4  # the current one and those that still ring; one more, and the shortest tail is faded out
_CATCH_UP_BLOCKS = 4  # that the audio thread processes at a time for a voice that lags behind
_MIN_SPARE_BLOCKS = 64  # of extra memory, for the input that arrives while a voice warms up
_WARM_NANOSECONDS = 50_000  # of warming between two rests, in which the audio thread may run
_REST_SECONDS = 50e-6  # a true sleep: a mere yield does not hand over the interpreter


def fade_curves(frames: int, block_size: int, curve: Curve, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return the gains of a fade-in and a fade-out, each ``(blocks, block_size)``, continued by ones and zeros.

    ``equal gain`` is a raised cosine, the sum of both being 1: for signals that are alike. ``equal power`` is sine and
    cosine of an angle that follows it, the sum of both squares being 1: for signals that have nothing in common.
    Neither has a corner at its ends, which would click.
    """
    blocks = max(1, -(-frames // block_size))
    phase = np.minimum(np.arange(1, blocks * block_size + 1) / max(frames, 1), 1)
    raised = np.sin(phase * np.pi / 2) ** 2
    angle = raised * np.pi / 2
    fade_in, fade_out = (raised, 1 - raised) if curve == "equal gain" else (np.sin(angle), np.cos(angle))
    fade_out[phase == 1] = 0  # the cosine is only nearly zero there
    shape = (blocks, block_size)
    return fade_in.astype(dtype).reshape(shape), fade_out.astype(dtype).reshape(shape)


class Voice:
    """One response that fades in, is current, or fades and rings out. Owned by the audio thread once it is let in.

    Attributes
    ----------
    engine : RealtimeConvolver
    input_gains, output_gains : ndarray of shape (blocks, block_size), or None
        The fade that is under way, of the input or of the output.
    position : int
        Blocks since the fade began.
    blocks_left : int
        Blocks until the voice has ended; −1 for never.
    silent : bool
        Whether its input has been faded out.
    """

    __slots__ = (
        "_input", "_silence", "blocks_left", "engine", "input_gains", "output_gains", "position", "silent"
    )  # fmt: skip

    def __init__(self, engine: RealtimeConvolver) -> None:
        self.engine = engine
        self.input_gains: Array | None = None
        self.output_gains: Array | None = None
        self.position, self.blocks_left, self.silent = 0, -1, False
        shape = (engine.routing.inputs, engine.block_size)
        self._input, self._silence = np.zeros(shape, engine.dtype), np.zeros(shape, engine.dtype)

    @property
    def fading(self) -> bool:
        """Whether a fade is under way."""
        return self.input_gains is not None or self.output_gains is not None

    def fade(
        self, *, inputs: Array | None = None, outputs: Array | None = None, blocks_left: int = -1
    ) -> None:
        """Begin a fade by gains ``(blocks, block_size)`` of the inputs or outputs; end after `blocks_left` blocks."""
        self.input_gains, self.output_gains = inputs, outputs
        self.position, self.blocks_left = 0, blocks_left

    def input_of(self, block: Array) -> Array:
        """Return the part of a block that this voice convolves: the block, its fade, or silence."""
        if self.silent:
            return self._silence
        if self.input_gains is None:
            return block
        faded: Array = np.multiply(block, self.input_gains[self.position], self._input)
        return faded

    def process(self, block: Array, out: Array) -> None:
        """Convolve a block from `input_of`, and move the fade on."""
        self.engine.process(block, out)
        if self.output_gains is not None:
            np.multiply(out, self.output_gains[self.position], out)
        gains = self.input_gains if self.input_gains is not None else self.output_gains
        self.position += 1
        if gains is not None and self.position == len(gains):
            self.silent = self.silent or (self.input_gains is not None and self.blocks_left > 0)
            self.input_gains = self.output_gains = None
        if self.blocks_left > 0:
            self.blocks_left -= 1


@dataclass(slots=True)
class Change:
    """A warmed voice on its way to the audio thread, and how it is to come in.

    Attributes
    ----------
    voice : Voice
    mode : {'crossfade', 'spillover'}
    fade_in, fade_out : ndarray, (blocks, block_size)
    next_block : int
        Number of the next block that the voice has to catch up with.
    since : int
        The convolver's `_since` when the voice was warmed.
    waiting : bool
        Until the audio thread lets the voice in; a change that is replaced goes on waiting, unread.
    """

    voice: Voice
    mode: Mode
    fade_in: Array
    fade_out: Array
    next_block: int
    since: int
    waiting: bool = True


class SwappableConvolver:
    """A real-time convolver whose response may be changed from another thread while it runs.

    Parameters
    ----------
    engine : RealtimeConvolver
        The first response.
    memory : int
        Frames of past input that a new response processes when it crossfades in. Older input is silence to
        it, so this should be the length of the longest response to come.

    Notes
    -----
    Invariant: ``_memory[n mod its length]`` is the input of the current voice in the ``n``-th block, for the
    latest blocks of those from `_since` to `_count`. The next block may be written there ahead of its turn: `inlet`.
    """

    def __init__(self, engine: RealtimeConvolver, memory: int) -> None:
        self._voices = [Voice(engine)]
        self._steady: RealtimeConvolver | None = engine
        self.block_size, self.routing, self.dtype = engine.block_size, engine.routing, engine.dtype
        self._needed = -(-memory // self.block_size) + 1
        self._blocks = self._needed + max(_MIN_SPARE_BLOCKS, self._needed // 4)
        # Filled, not only allocated: a page's first touch costs microseconds, and must not fall into a block.
        self._memory = np.full((self._blocks, engine.routing.inputs, self.block_size), 0, self.dtype)
        self._rows = self._memory.reshape(self._blocks, -1)
        self._count = self._since = 0
        self._requests: Latest[Change] = Latest()
        self._next: Change | None = None  # taken from the mailbox; the audio thread's own
        self._requested: Change | None = None  # the latest; the control thread's own
        # To free a convolver takes longer than a block lasts: the audio thread leaves it to the next swap.
        self._retired: list[Voice] = []
        self._mixed = np.zeros((engine.routing.outputs, self.block_size), self.dtype)

    @property
    def engine(self) -> RealtimeConvolver:
        """The convolver of the response that came in last."""
        return self._voices[0].engine

    @property
    def changing(self) -> bool:
        """Whether a swap is waiting, fading or ringing out."""
        requested = self._requested
        return (requested is not None and requested.waiting) or self._steady is None

    def process(self, block: Array, out: Array) -> None:
        """Convolve a block ``(inputs, block_size)`` into another array, `out` ``(outputs, block_size)``."""
        inlet, _ = self.inlet()
        inlet[...] = block
        self.advance(inlet, out)

    def inlet(self) -> tuple[Array, Array]:
        """Return the place of the next block, ``(inputs, block_size)`` and flat, to be filled before `advance`."""
        place = self._count % self._blocks
        return self._memory[place], self._rows[place]

    def advance(self, block: Array, out: Array) -> None:
        """Convolve the block that has been written to the inlet into `out` ``(outputs, block_size)``."""
        request = self._requests.take()
        if request is not None:
            self._schedule(request)
        if self._next is not None:
            self._begin(self._next)
        self._count += 1
        if self._steady is not None:
            self._steady.process(block, out)
            return
        voices = self._voices
        current_input = voices[0].input_of(block)
        voices[0].process(current_input, out)
        for voice in voices[1:]:
            voice.process(voice.input_of(block), self._mixed)
            np.add(out, self._mixed, out)
        if current_input is not block:
            block[...] = current_input
        while voices[-1].blocks_left == 0:
            self._retired.append(voices.pop())
        self._settle()

    def _settle(self) -> None:
        """Note whether one voice without a fade is all there is."""
        alone = len(self._voices) == 1 and not self._voices[0].fading
        self._steady = self._voices[0].engine if alone else None

    def _schedule(self, request: Change) -> None:
        """Make a request the next change, in place of one that has not begun."""
        if self._next is not None:
            self._retired.append(self._next.voice)
        self._next = request

    def _begin(self, change: Change) -> None:
        """Let the next voice in, unless another is still fading, or it has not caught up."""
        current = self._voices[0]
        if current.fading:
            return
        if change.mode == "crossfade":
            if not self._catch_up(change):
                return
            current.fade(outputs=change.fade_out, blocks_left=len(change.fade_out))
            change.voice.fade(outputs=change.fade_in)
        else:
            rings = -(-current.engine.tail // self.block_size) + 1
            current.fade(inputs=change.fade_out, blocks_left=len(change.fade_out) + rings)
            change.voice.fade(inputs=change.fade_in)
            self._since = self._count
        self._limit_voices(change.fade_out)
        self._voices.insert(0, change.voice)
        self._settle()
        self._next, change.waiting = None, False

    def _catch_up(self, change: Change) -> bool:
        """Let a voice process some of the input since it was warmed; return whether that was all."""
        if change.since != self._since:  # another response began in between, and its past with it
            change.voice.engine.reset()
            change.next_block = change.since = self._since
        # The oldest place is the inlet.
        change.next_block = max(change.next_block, self._count - self._blocks + 1)
        for _ in range(min(_CATCH_UP_BLOCKS, self._count - change.next_block)):
            change.voice.engine.process(self._memory[change.next_block % self._blocks], self._mixed)
            change.next_block += 1
        return change.next_block == self._count

    def _limit_voices(self, fade_out: Array) -> None:
        """Order the voices by their ends, and where there are too many fade out the one that ends first."""
        self._voices.sort(key=_remaining, reverse=True)
        last = self._voices[-1]
        if len(self._voices) >= _MAX_VOICES and last.blocks_left > len(fade_out):
            last.fade(outputs=fade_out, blocks_left=len(fade_out))

    def swap(self, engine: RealtimeConvolver, mode: Mode, fade: int, curve: Curve) -> None:
        """Change to `engine`, which belongs to this convolver from now on. For one thread at a time.

        Parameters
        ----------
        engine : RealtimeConvolver
            As newly built, with this one's block size, channels and dtype.
        mode : {'crossfade', 'spillover'}
        fade : int
            Frames.
        curve : {'equal gain', 'equal power'}
        """
        fade_in, fade_out = fade_curves(fade, self.block_size, curve, self.dtype)
        since = self._since
        next_block = self._warm(engine, since) if mode == "crossfade" else 0
        change = Change(Voice(engine), mode, fade_in, fade_out, next_block, since)
        replaced = self._requests.take()
        if replaced is not None:
            self._retired.append(replaced.voice)
        self._requested = change
        self._requests.put(change)
        while self._retired:
            self._retired.pop().engine.take_apart()

    def _warm(self, engine: RealtimeConvolver, since: int) -> int:
        """Let `engine` process the past, resting now and then; return the number of the next block for it."""
        needed = min(-(-engine.tail // self.block_size) + 1, self._needed)
        burst = max(1, int(_WARM_NANOSECONDS // engine.plan.mean))
        out = np.zeros_like(self._mixed)
        block = max(since, self._count - needed)
        while block < self._count:
            engine.process(self._memory[block % self._blocks], out)
            block += 1
            if self._count - block >= self._blocks - 2:  # overtaken: its input was being overwritten
                engine.reset()
                return max(since, self._count - needed)
            if block % burst == 0:
                time.sleep(_REST_SECONDS)
        return block

    def reset(self) -> None:
        """Forget all sound and all fades, and let a waiting response in. For the audio thread."""
        request = self._requests.take()
        if request is not None:
            self._schedule(request)
        change, self._next = self._next, None
        if change is not None:
            self._voices.insert(0, change.voice)
        self._retired += self._voices[1:]
        del self._voices[1:]
        self._voices[0].fade()
        self._voices[0].engine.reset()
        self._settle()
        # The count goes on, so that a response that is being warmed meanwhile notices that its past is gone.
        self._since = self._count
        if change is not None:
            change.waiting = False


def _remaining(voice: Voice) -> float:
    return voice.blocks_left if voice.blocks_left >= 0 else np.inf
