"""Change the response of a running convolver without a click: crossfade on shared history, or spill over.

Each response sounds through a `Voice`. In the steady state there is one, and a block goes straight through it.
A swap brings in a second: by *crossfade* it has first heard, ahead of its turn, all input that the old one still
remembers, so that it sounds as if it had always been there while the two are faded over; by *spillover* new input
is faded over from the old voice to the new, and the old one rings on until its tail has ended.

Two threads meet here without a lock. The control thread builds and warms the new voice and then sets one
reference, `_pending`; the audio thread takes it at the start of a block. A later request replaces one that has
not been taken.
"""

import time
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from reverb.engine.fft_plans import Array
from reverb.engine.realtime.convolver import RealtimeConvolver

Mode: TypeAlias = Literal["crossfade", "spillover"]
MODES: tuple[Mode, ...] = get_args(Mode)
Curve: TypeAlias = Literal["equal gain", "equal power"]
CURVES: tuple[Curve, ...] = get_args(Curve)

_MOST_VOICES = 4  # the current one and what still rings; one more, and the shortest tail is faded out
_CATCH_UP = 4  # blocks that the audio thread lets a new voice hear in one turn of its own
_SPARE = 64  # least blocks of memory beyond what is needed, for what arrives while a voice warms up
_BURST = 50_000  # nanoseconds of warming between two rests, in which the audio thread may run
_REST = 50e-6  # seconds: a true sleep, for a mere yield does not hand over the interpreter


def fade_curves(frames: int, block_size: int, curve: Curve, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return fades in and out as ``(blocks, block_size)``, ended by ones and zeros.

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
    """One response on its way in, in charge, or on its way out. The audio thread's own once it is taken.

    Attributes
    ----------
    engine : RealtimeConvolver
    before, after : ndarray of shape (blocks, block_size), or None
        Gains that are being applied to the input and to the output.
    turn : int
        Blocks since they began.
    left : int
        Blocks until the voice has ended; −1 for never.
    """

    __slots__ = ("_input", "_silence", "after", "before", "engine", "left", "silent", "turn")

    def __init__(self, engine: RealtimeConvolver) -> None:
        self.engine = engine
        self.before: Array | None = None
        self.after: Array | None = None
        self.turn, self.left, self.silent = 0, -1, False
        shape = (engine.routing.inputs, engine.block_size)
        self._input, self._silence = np.zeros(shape, engine.dtype), np.zeros(shape, engine.dtype)

    @property
    def fading(self) -> bool:
        """Whether a gain moves."""
        return self.before is not None or self.after is not None

    def fade(self, *, before: Array | None = None, after: Array | None = None, left: int = -1) -> None:
        """Begin to fade the input, the output or both; end after `left` blocks."""
        self.before, self.after, self.turn, self.left = before, after, 0, left

    def hear(self, block: Array) -> Array:
        """Return the block as this voice is to hear it."""
        if self.silent:
            return self._silence
        if self.before is None:
            return block
        faded: Array = np.multiply(block, self.before[self.turn], self._input)
        return faded

    def process(self, heard: Array, out: Array) -> None:
        """Convolve what is heard, and move on. After a fade of its input, a leaving voice hears silence."""
        self.engine.process(heard, out)
        if self.after is not None:
            np.multiply(out, self.after[self.turn], out)
        gains = self.before if self.before is not None else self.after
        self.turn += 1
        if gains is not None and self.turn == len(gains):
            self.silent = self.silent or (self.before is not None and self.left > 0)
            self.before = self.after = None
        if self.left > 0:
            self.left -= 1


@dataclass(slots=True)
class Change:
    """A warmed voice that waits for the audio thread, and how it is to come in.

    `heard` counts the blocks that it has heard of, `since` tells from which on the memory was its own.
    """

    voice: Voice
    mode: Mode
    fade_in: Array
    fade_out: Array
    heard: int
    since: int


class SwappableConvolver:
    """A real-time convolver whose response may be changed from another thread while it runs.

    Parameters
    ----------
    engine : RealtimeConvolver
        The first response.
    memory : int
        Frames of past input that a new response hears when it crossfades in. What lies further back is
        silence to it, so let it be as long as the longest response to come.

    Notes
    -----
    Invariant: ``_memory[n mod its length]`` is what the current voice was given as the ``n``-th block, for the
    latest blocks of those from `_since` to `_count`. The next block may be written there ahead of its turn: `inlet`.
    """

    def __init__(self, engine: RealtimeConvolver, memory: int) -> None:
        self._voices = [Voice(engine)]
        self._steady: RealtimeConvolver | None = engine
        self.block_size, self.routing, self.dtype = engine.block_size, engine.routing, engine.dtype
        self._needed = -(-memory // self.block_size) + 1
        self._blocks = self._needed + max(_SPARE, self._needed // 4)
        # Filled, not only allocated: a page's first touch costs microseconds, and must not fall into a block.
        self._memory = np.full((self._blocks, engine.routing.inputs, self.block_size), 0, self.dtype)
        self._rows = self._memory.reshape(self._blocks, -1)
        self._count = self._since = 0
        self._pending: Change | None = None
        # To free a convolver takes longer than a block lasts: the audio thread leaves it to whoever swaps next.
        self._gone: list[Voice] = []
        self._mixed = np.zeros((engine.routing.outputs, self.block_size), self.dtype)

    @property
    def engine(self) -> RealtimeConvolver:
        """The convolver in charge: the one that came in last."""
        return self._voices[0].engine

    @property
    def changing(self) -> bool:
        """Whether a swap waits, fades or still rings."""
        return self._pending is not None or self._steady is None

    def process(self, block: Array, out: Array) -> None:
        """Convolve a block ``(inputs, block_size)`` into another array, `out` ``(outputs, block_size)``."""
        inlet, _ = self.inlet()
        inlet[...] = block
        self.advance(inlet, out)

    def inlet(self) -> tuple[Array, Array]:
        """Return where the next block goes, ``(inputs, block_size)``, and the same flat: to be filled for `advance`."""
        place = self._count % self._blocks
        return self._memory[place], self._rows[place]

    def advance(self, block: Array, out: Array) -> None:
        """Convolve the block that stands in the inlet into `out` ``(outputs, block_size)``."""
        if self._pending is not None:
            self._take(self._pending)
        self._count += 1
        if self._steady is not None:
            self._steady.process(block, out)
            return
        voices = self._voices
        heard = voices[0].hear(block)
        voices[0].process(heard, out)
        for voice in voices[1:]:
            voice.process(voice.hear(block), self._mixed)
            np.add(out, self._mixed, out)
        if heard is not block:
            block[...] = heard
        while voices[-1].left == 0:
            self._gone.append(voices.pop())
        self._settle()

    def _settle(self) -> None:
        """Note whether there is but one voice, in charge of all."""
        alone = len(self._voices) == 1 and not self._voices[0].fading
        self._steady = self._voices[0].engine if alone else None

    def _take(self, change: Change) -> None:
        """Let a pending voice in, unless one is still fading, or it has not heard everything yet."""
        current = self._voices[0]
        if current.fading:
            return
        if change.mode == "crossfade":
            if not self._catch_up(change):
                return
            current.fade(after=change.fade_out, left=len(change.fade_out))
            change.voice.fade(after=change.fade_in)
        else:
            rings = -(-current.engine.tail // self.block_size) + 1
            current.fade(before=change.fade_out, left=len(change.fade_out) + rings)
            change.voice.fade(before=change.fade_in)
            self._since = self._count
        self._make_room(change.fade_out)
        self._voices.insert(0, change.voice)
        self._settle()
        if self._pending is change:
            self._pending = None

    def _catch_up(self, change: Change) -> bool:
        """Let a voice hear some of what came while it waited; True when that was all."""
        if change.since != self._since:  # another response began in between, and its past with it
            change.voice.engine.reset()
            change.heard = change.since = self._since
        change.heard = max(change.heard, self._count - self._blocks + 1)  # the oldest place is the inlet
        for _ in range(min(_CATCH_UP, self._count - change.heard)):
            change.voice.engine.process(self._memory[change.heard % self._blocks], self._mixed)
            change.heard += 1
        return change.heard == self._count

    def _make_room(self, fade_out: Array) -> None:
        """Keep the leaving voices in the order of their ends; fade the first to end out if they are many."""
        self._voices.sort(key=_remaining, reverse=True)
        last = self._voices[-1]
        if len(self._voices) >= _MOST_VOICES and last.left > len(fade_out):
            last.fade(after=fade_out, left=len(fade_out))

    def swap(self, engine: RealtimeConvolver, mode: Mode, fade: int, curve: Curve) -> None:
        """Change to `engine`; to be called from one thread at a time, and to leave `engine` alone after.

        Parameters
        ----------
        engine : RealtimeConvolver
            As newly built, with this one's block size, channels and dtype.
        mode : {'crossfade', 'spillover'}
        fade : int
            Frames.
        curve : {'equal gain', 'equal power'}
        """
        while self._gone:
            self._gone.pop().engine.take_apart()
        fade_in, fade_out = fade_curves(fade, self.block_size, curve, self.dtype)
        since = self._since
        heard = self._warm(engine, since) if mode == "crossfade" else 0
        self._pending = Change(Voice(engine), mode, fade_in, fade_out, heard, since)

    def _warm(self, engine: RealtimeConvolver, since: int) -> int:
        """Let `engine` hear the past, resting now and then; return the number of the next block to hear."""
        needed = min(-(-engine.tail // self.block_size) + 1, self._needed)
        burst = max(1, int(_BURST // engine.plan.mean))
        out = np.zeros_like(self._mixed)
        heard = max(since, self._count - needed)
        while heard < self._count:
            engine.process(self._memory[heard % self._blocks], out)
            heard += 1
            if self._count - heard >= self._blocks - 2:  # overtaken: what it heard was being overwritten
                engine.reset()
                return max(since, self._count - needed)
            if heard % burst == 0:
                time.sleep(_REST)
        return heard

    def reset(self) -> None:
        """Forget all sound and all fades, and let a waiting response in. For the audio thread."""
        if self._pending is not None:
            self._voices.insert(0, self._pending.voice)
            self._pending = None
        self._gone += self._voices[1:]
        del self._voices[1:]
        self._voices[0].fade()
        self._voices[0].engine.reset()
        self._settle()
        self._count = self._since = 0


def _remaining(voice: Voice) -> float:
    return voice.left if voice.left >= 0 else np.inf
