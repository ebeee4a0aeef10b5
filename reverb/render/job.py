"""One pass of a source through a response: reading, convolving, and handing on, in constant memory."""

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from reverb.arrays import Audio
from reverb.audiofiles.files import Sound, check_loudness, read_blocks, shortfall
from reverb.audiofiles.packed import PackedReader, packed
from reverb.engine.offline.convolver import OverlapAdd
from reverb.errors import InvalidAudioError
from reverb.render import pipeline
from reverb.render.quantize import Meter, sixteen_bit_to_float
from reverb.responses.response import ImpulseResponse
from reverb.responses.shape import dtype_within_limit

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""

_SIXTEEN_BITS = {"PCM_16", "PCM_S8", "PCM_U8"}
_DOUBLE = {"PCM_32", "DOUBLE"}
_FLOATING = {"FLOAT", "DOUBLE"}


class Taken(NamedTuple):
    """Frames that have been read, and how many rounds of output they complete."""

    frames: int
    rounds: int


class Job:
    """One pass of a source through a response.

    Parameters
    ----------
    sound : Sound
        Opened for reading.
    response : ImpulseResponse
        Wired for its channels.
    tail : bool
        Keep what sounds on after the source ends.
    workers : int, optional
        Threads for the convolution.
    warn : bool
        Say where the source is truncated or damaged.
    listen : callable, optional
        Called with each block as it is read.

    Raises
    ------
    InvalidAudioError
        If the effect on so many channels would take too much memory.

    Attributes
    ----------
    frames, channels : int
        Of the output, as the header promises; `frames` is corrected where a damaged source held fewer.
    dtype : type
        Of the arithmetic: double precision where the source has more than 24 bits and memory allows.
    input_meter : Meter
        What came in.
    """

    def __init__(
        self,
        sound: Sound,
        response: ImpulseResponse,
        tail: bool,
        workers: int | None,
        *,
        warn: bool = True,
        listen: Callable[[Audio], None] | None = None,
    ) -> None:
        self._listen = listen
        self.channels = response.wiring.outputs
        self._skip = response.latency
        self._extra = response.frames - 1 - response.latency if tail else 0
        self.frames = sound.frames + self._extra
        self.input_meter = Meter()
        self._sound = sound
        self._warn = warn
        wanted = np.float64 if sound.subtype in _DOUBLE else np.float32
        # Every channel carries as much of the past as the response is long.
        widest = max(sound.channels, self.channels)
        self.dtype = dtype_within_limit(response.frames, widest, wanted, f"{sound.name}: the effect")
        self._engine = OverlapAdd(
            response.samples.T,
            response.wiring,
            dtype=self.dtype,
            length=sound.frames,
            workers=workers,
            ahead=pipeline.LIVE - 1,
        )
        size = min(self._engine.preferred_frames, sound.frames)
        self._packed = PackedReader() if packed(sound) else None
        # The engine wants channels apart; libsndfile gives frames.
        self._input = np.empty(
            (size, sound.channels), self.dtype, order="F" if self._packed is not None else "C"
        )
        self._sixteen_bits = sound.subtype in _SIXTEEN_BITS
        self._floating = sound.subtype in _FLOATING
        # Used in turn, for fresh memory costs more than to write into it.
        self._outputs = itertools.cycle(
            [
                np.empty((self._engine.preferred_frames, self.channels), self.dtype)
                for _ in range(pipeline.LIVE)
            ]
        )

    def run(self, sink: Callable[[Audio], None], progress: Progress | None) -> None:
        """Pull the whole source through the response into `sink`."""
        if self._warn and (lacking := shortfall(self._sound)) is not None:
            warnings.warn(lacking, stacklevel=4)
        pipeline.run(self._read(), lambda blocks: self._convolved(blocks, progress), sink)

    def _read(self) -> Iterator[Taken]:
        """Read the source's blocks into the engine, which does half of its work with them."""
        sound, done = self._sound, 0
        for block in read_blocks(sound, self._engine.preferred_frames, self._read_block, warn=self._warn):
            if self._floating and not np.isfinite(block).all():
                frame = done + int(np.argwhere(~np.isfinite(block))[0, 0])
                raise InvalidAudioError(
                    f"{sound.name}: NaN or infinity at frame {frame} ({frame / sound.samplerate:.3f} s); "
                    "repair the file first"
                )
            self.input_meter.watch(block)
            check_loudness(self.input_meter.peak, sound.name)
            if self._listen is not None:
                self._listen(block)
            yield Taken(len(block), self._engine.take(block))
            done += len(block)
        self.frames = done + self._extra

    def _read_block(self, sound: Sound, frames: int) -> Audio:
        buffer = self._input[:frames]
        if self._sixteen_bits:
            integers = sound.read(frames, "int16", always_2d=True)
            return sixteen_bit_to_float(integers, buffer[: len(integers)])
        if self._packed:
            return self._packed.read(sound, buffer)
        block: Audio = sound.read(out=buffer)
        return block

    def _convolved(self, blocks: Iterator[Taken], progress: Progress | None) -> Iterator[Audio]:
        """Give the output's blocks, without the latency in front and, where unwanted, the tail behind."""
        skip, given, done = self._skip, 0, 0

        def wanted(block: Audio) -> Audio:
            nonlocal skip, given
            cut = min(skip, len(block))
            block = block[cut : cut + self.frames - given]
            skip -= cut
            given += len(block)
            return block

        for block in blocks:
            for _ in range(block.rounds):
                yield wanted(self._engine.give(next(self._outputs)))
            done += block.frames
            if progress:
                progress(done, self._sound.frames)
        for piece in self._engine.drain():
            yield wanted(piece)
