"""One pass of a source through a response: reading, convolving, and handing on, in constant memory."""

import os
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from reverb.arrays import Audio
from reverb.audiofiles.files import Sound, check_peak, read_blocks, shortfall
from reverb.audiofiles.packed import PackedReader, packed
from reverb.engine.machine import Machine
from reverb.engine.offline.blocks import Spectra
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
        machine: Machine | None = None,
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
        cores = (os.cpu_count() or 1) if workers is None else workers
        self._engine = OverlapAdd(
            response.samples.T,
            response.wiring,
            dtype=self.dtype,
            length=sound.frames,
            workers=-(-cores // 2),  # analysis and synthesis are at work at the same time
            machine=machine,
        )
        size = self._engine.preferred_frames
        self._packed = PackedReader() if packed(sound) else None
        # The engine wants channels apart; libsndfile gives frames.
        self._inputs = pipeline.Buffers(
            (min(size, sound.frames), sound.channels), self.dtype, "F" if self._packed is not None else "C"
        )
        self._outputs = pipeline.Buffers((size, self.channels), self.dtype)
        self._last: Spectra | None = None
        self._sixteen_bits = sound.subtype in _SIXTEEN_BITS
        self._floating = sound.subtype in _FLOATING

    def run(self, sink: Callable[[Audio], None], progress: Progress | None) -> None:
        """Pull the whole source through the response into `sink`."""
        if self._warn and (lacking := shortfall(self._sound)) is not None:
            warnings.warn(lacking, stacklevel=4)
        done, given = 0, 0

        def analyze(block: Audio) -> Spectra:
            spectra = self._engine.analyze(block)
            self._inputs.give_back(block)
            return spectra

        def synthesize(spectra: Spectra) -> Audio | None:
            nonlocal done
            done += spectra.frames
            if progress:
                progress(done, self._sound.frames)
            if spectra.frames < self._engine.preferred_frames:
                self._last = spectra
                return None
            return self._engine.synthesize(spectra, self._outputs.take())

        def rest() -> Iterator[Audio]:
            nothing = np.empty((0, self._sound.channels), self.dtype)
            last = self._last or self._engine.analyze(nothing)
            return self._engine.flush_segments(last, lambda frames: self._outputs.take()[:frames])

        def write(block: Audio) -> None:
            """Write a block, without the latency in front and, where unwanted, the tail behind."""
            nonlocal given
            cut = min(self._skip, len(block))
            wanted = block[cut : cut + self.frames - given]
            self._skip -= cut
            given += len(wanted)
            sink(wanted)
            self._outputs.give_back(block)

        pipeline.run(self._segments(), (analyze, synthesize), write, rest=rest)

    def _segments(self) -> Iterator[Audio]:
        """Give the source in blocks of the engine's preferred length; only the last may be shorter."""
        size, pending, filled = self._engine.preferred_frames, self._inputs.take(), 0
        for block in self._read():
            if filled == 0 and len(block) == size:
                yield block
                continue
            while len(block):  # the last block, or one of a damaged file, which is read in smaller steps
                count = min(size - filled, len(block))
                pending[filled : filled + count] = block[:count]
                block, filled = block[count:], filled + count
                if filled == size:
                    yield pending
                    pending, filled = self._inputs.take(), 0
        if filled:
            yield pending[:filled]

    def _read(self) -> Iterator[Audio]:
        """Read the source's blocks."""
        sound, done = self._sound, 0
        for block in read_blocks(sound, self._engine.preferred_frames, self._read_block, warn=self._warn):
            if self._floating and not np.isfinite(block).all():
                frame = done + int(np.argwhere(~np.isfinite(block))[0, 0])
                raise InvalidAudioError(
                    f"{sound.name}: NaN or infinity at frame {frame} ({frame / sound.samplerate:.3f} s); "
                    "repair the file first"
                )
            self.input_meter.watch(block)
            check_peak(self.input_meter.peak, sound.name)
            if self._listen is not None:
                self._listen(block)
            done += len(block)
            self.frames = done + self._extra
            yield block
        self.frames = done + self._extra

    def _read_block(self, sound: Sound, frames: int) -> Audio:
        buffer = self._inputs.take()[:frames]
        if self._sixteen_bits:
            integers = sound.read(frames, "int16", always_2d=True)
            return sixteen_bit_to_float(integers, buffer[: len(integers)])
        if self._packed:
            return self._packed.read(sound, buffer)
        block: Audio = sound.read(out=buffer)
        return block
