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
from reverb.errors import InvalidAudioError, ParameterError, shown
from reverb.render import pipeline
from reverb.render.loudness import GainDecision, LevelMeasurement, PeakMeter
from reverb.render.quantize import Sink, int16_to_float
from reverb.render.settings import RenderSettings
from reverb.responses.layouts import dtype_within_limit
from reverb.responses.response import ImpulseResponse

Progress = Callable[[int, int], None]
"""Called with the number of frames done and the total."""

_READ_AS_INT16 = {"PCM_16", "PCM_S8", "PCM_U8"}
_READ_AS_FLOAT64 = {"PCM_32", "DOUBLE"}
_FLOAT_SUBTYPES = {"FLOAT", "DOUBLE"}


def check_progress(progress: object) -> None:
    """Raise ParameterError unless a progress callback is a function or None."""
    if progress is not None and not callable(progress):
        raise ParameterError(f"progress is {shown(repr(progress))}; expected a function, or None")


class Job:
    """One pass of a source through a response.

    Parameters
    ----------
    sound : Sound
        Opened for reading.
    response : ImpulseResponse
        Wired for its channels.
    tail : bool
        Keep the sound after the end of the source.
    workers : int, optional
        Threads for the convolution.
    warn : bool
        Warn of a truncated or damaged source.
    on_input : callable, optional
        Called with each block after reading.
    machine : Machine, optional
        With the FFT plans to follow; by default this machine.

    Raises
    ------
    InvalidAudioError
        If the effect on so many channels would take too much memory.

    Attributes
    ----------
    frames, channels : int
        Of the output, by the header; `frames` is corrected during the pass if a damaged source has fewer.
    dtype : type
        Of the arithmetic: float64 if the source has more than 24 bits and memory allows, otherwise float32.
    input_meter : PeakMeter
    """

    def __init__(
        self,
        sound: Sound,
        response: ImpulseResponse,
        tail: bool,
        workers: int | None,
        *,
        warn: bool = True,
        on_input: Sink | None = None,
        machine: Machine | None = None,
    ) -> None:
        self._on_input = on_input
        self.channels = response.wiring.outputs
        self._frames_to_skip = response.latency
        self._tail_frames = response.frames - 1 - response.latency if tail else 0
        self.frames = sound.frames + self._tail_frames
        self.input_meter = PeakMeter()
        self._sound = sound
        self._warn = warn
        wanted = np.float64 if sound.subtype in _READ_AS_FLOAT64 else np.float32
        # The engine keeps as many past frames of each channel as the response has.
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
        # The engine needs each channel contiguous; libsndfile returns interleaved frames.
        self._inputs = pipeline.BufferPool(
            (min(size, sound.frames), sound.channels), self.dtype, "F" if self._packed is not None else "C"
        )
        self._outputs = pipeline.BufferPool((size, self.channels), self.dtype)
        self._last: Spectra | None = None
        self._read_as_int16 = sound.subtype in _READ_AS_INT16
        self._may_hold_nan = sound.subtype in _FLOAT_SUBTYPES

    def run(self, sink: Sink, progress: Progress | None) -> None:
        """Send the source through the response into `sink`, which may overwrite the blocks."""
        if self._warn and (lacking := shortfall(self._sound)) is not None:
            warnings.warn(lacking, stacklevel=4)
        done, written = 0, 0

        def analyze(block: Audio) -> Spectra:
            spectra = self._engine.analyze(block)
            self._inputs.release(block)
            return spectra

        def synthesize(spectra: Spectra) -> Audio | None:
            nonlocal done
            done += spectra.frames
            if progress:
                progress(done, self._sound.frames)
            if spectra.frames < self._engine.preferred_frames:
                self._last = spectra
                return None
            return self._engine.synthesize(spectra, self._outputs.acquire())

        def flush() -> Iterator[Audio]:
            nothing = np.empty((0, self._sound.channels), self.dtype)
            last = self._last or self._engine.analyze(nothing)
            return self._engine.flush_segments(last, lambda frames: self._outputs.acquire()[:frames])

        def write(block: Audio) -> None:
            """Write a block without the latency at the start of the output, up to the output's length."""
            nonlocal written
            cut = min(self._frames_to_skip, len(block))
            wanted = block[cut : cut + self.frames - written]
            self._frames_to_skip -= cut
            written += len(wanted)
            sink(wanted)
            self._outputs.release(block)

        pipeline.run(self._segments(), (analyze, synthesize), write, flush=flush)

    def _segments(self) -> Iterator[Audio]:
        """Yield the source in blocks of the engine's preferred length; only the last may be shorter."""
        size, pending, filled = self._engine.preferred_frames, self._inputs.acquire(), 0
        for block in self._read():
            if filled == 0 and len(block) == size:
                yield block
                continue
            while len(block):  # the last block, or a block of a damaged file, which is read in smaller steps
                count = min(size - filled, len(block))
                pending[filled : filled + count] = block[:count]
                block, filled = block[count:], filled + count
                if filled == size:
                    yield pending
                    pending, filled = self._inputs.acquire(), 0
        if filled:
            yield pending[:filled]

    def _read(self) -> Iterator[Audio]:
        """Yield the source's blocks, checked and measured."""
        sound, done = self._sound, 0
        for block in read_blocks(sound, self._engine.preferred_frames, self._read_block, warn=self._warn):
            if self._may_hold_nan and not np.isfinite(block).all():
                frame = done + int(np.argwhere(~np.isfinite(block))[0, 0])
                raise InvalidAudioError(
                    f"{sound.name}: NaN or infinity at frame {frame} ({frame / sound.samplerate:.3f} s); "
                    "repair the file first"
                )
            self.input_meter.push(block)
            check_peak(self.input_meter.peak, sound.name)
            if self._on_input is not None:
                self._on_input(block)
            done += len(block)
            self.frames = done + self._tail_frames
            yield block
        self.frames = done + self._tail_frames

    def _read_block(self, sound: Sound, frames: int) -> Audio:
        buffer = self._inputs.acquire()[:frames]
        if self._read_as_int16:
            integers = sound.read(frames, "int16", always_2d=True)
            return int16_to_float(integers, buffer[: len(integers)])
        if self._packed:
            return self._packed.read(sound, buffer)
        block: Audio = sound.read(out=buffer)
        return block


def measure_level(
    sound: Sound,
    response: ImpulseResponse,
    settings: RenderSettings,
    workers: int | None,
    progress: Progress | None,
    machine: Machine | None,
) -> GainDecision:
    """Run a pass that writes nothing, and return the gain that the output needs."""
    measurement = LevelMeasurement(settings, sound.samplerate, sound.channels, response.wiring.outputs)
    job = Job(sound, response, settings.tail, workers, on_input=measurement.push_input, machine=machine)
    job.run(measurement.push_output, progress)
    return measurement.decide()
