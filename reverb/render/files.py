"""Rendering: an audio file through an effect into another, of any length in constant memory."""

import contextlib
import itertools
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import soundfile

from reverb.arrays import Audio
from reverb.effects.effect import HasResponse, check_workers, fold
from reverb.engine.overlap_add import OverlapAdd
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.levels import from_db, to_db
from reverb.render import pipeline
from reverb.render.pcm import BITS, DITHERED_BITS, Meter, Quantiser, sixteen_bit_to_float
from reverb.responses.response import ImpulseResponse
from reverb.soundfiles import (
    PathLike,
    Sound,
    check_output,
    leave_out_peak_chunk,
    open_sound,
    output_format,
    output_subtype,
    read_blocks,
    read_tags,
    shortfall,
    whole_or_nothing,
    write_error,
    write_tags,
)

Normalize = Literal["none", "peak"]
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)
PEAK_TARGET_DB = -1.0
"""Where ``normalize="peak"`` brings the largest sample: below full scale, as peaks between samples are higher."""

Progress = Callable[[int, int], None]
"""Called with frames done and frames in all."""

_SIXTEEN_BITS = {"PCM_16", "PCM_S8", "PCM_U8"}
_DOUBLE = {"PCM_32", "DOUBLE"}
_FLOATING = {"FLOAT", "DOUBLE"}
_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_LIMITED = {"WAV", "AIFF", "AU"}  # their headers count bytes in 32 bits
_LIMIT = (1 << 32) - (1 << 20)  # leaves room for chunks and tags


@dataclass(frozen=True, kw_only=True)
class RenderReport:
    """What a rendering did.

    Attributes
    ----------
    frames, channels, sample_rate : int
        Of the output.
    container, subtype : str
        Of the output, in libsndfile's names.
    input_peak, peak : float
        Largest absolute sample before and after, full scale is 1.
    clipped : int
        Samples of the output beyond full scale: held at the limit in integer formats, kept in float ones.
    seconds : float
        Wall time of the rendering.
    """

    frames: int
    channels: int
    sample_rate: int
    container: str
    subtype: str
    input_peak: float
    peak: float
    clipped: int
    seconds: float

    @property
    def duration(self) -> float:
        """Length of the output in seconds."""
        return self.frames / self.sample_rate

    @property
    def speed(self) -> float:
        """How many times faster than real time."""
        return self.duration / self.seconds

    @property
    def peak_db(self) -> float:
        """Output peak in dBFS."""
        return to_db(self.peak)


def process_file(
    source: PathLike,
    destination: PathLike,
    effect: HasResponse,
    *,
    tail: bool = True,
    gain: float = 0.0,
    normalize: Normalize = "none",
    container: str | None = None,
    subtype: str | None = None,
    dither: bool | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> RenderReport:
    """Apply an effect to an audio file.

    Parameters
    ----------
    source, destination : path-like
        The output appears whole or not at all; the source is never touched.
    effect : Effect or ImpulseResponse
    tail : bool
        Keep what sounds on after the input ends.
    gain : float
        Applied to the result, in dB.
    normalize : {'none', 'peak'}
        ``peak`` brings the largest sample to −1 dBFS, by rendering twice.
    container : str, optional
        Such as WAV or FLAC; by default what the destination's ending says. WAV becomes RF64 beyond 4 GiB.
    subtype : str, optional
        Such as PCM_16 or FLOAT; by default the source's own where the container has it.
    dither : bool, optional
        Triangular dither before rounding; by default for 16 bits and fewer.
    overwrite : bool
        Replace an existing destination.
    workers : int, optional
        Threads for the convolution, by default one per core; the result does not depend on it.
    progress : callable, optional
        Called now and then with frames done and frames in all.

    Returns
    -------
    RenderReport

    Raises
    ------
    AudioFileError
        If the source cannot be read or the destination not be written.
    InvalidAudioError
        If the source holds NaN or infinity, or its channels do not suit the effect.
    ParameterError
        If a setting is out of range.

    Warns
    -----
    UserWarning
        If the source is truncated or damaged; what can be read is rendered.
    """
    started = time.perf_counter()
    if normalize not in NORMALIZE:
        raise ParameterError(f"normalize {normalize!r}; expected one of {', '.join(NORMALIZE)}")
    if not gain <= 120.0:
        raise ParameterError(f"gain {gain} dB; expected a number up to 120")
    check_workers(workers)
    with open_sound(source) as sound:
        if os.path.exists(destination) and os.path.samefile(source, destination):
            raise AudioFileError(f"{destination}: is the input itself; choose another output")
        check_output(destination, overwrite)
        container = output_format(destination, container)
        subtype = output_subtype(container, sound.subtype, subtype, Path(destination).suffix)
        response = fold(effect, sound.samplerate, sound.channels) * from_db(gain)
        job = _Job(sound, response, tail, workers)
        if normalize == "peak":
            measured = Meter()
            job.run(measured.watch, _share(progress, 0, 2))
            if measured.peak > 0.0:
                response = response * (from_db(PEAK_TARGET_DB) / measured.peak)
            job = _Job(sound, response, tail, workers, warn=False)
            progress = _share(progress, 1, 2)
        container = _large_enough(container, job.frames * job.channels * _BYTES.get(subtype, 4))
        if dither is None:
            dither = BITS.get(subtype, 32) <= DITHERED_BITS
        with _writing(sound, destination, job, container, subtype, overwrite) as out:
            meter = Meter()
            job.run(_sink(out, subtype, job.dtype, dither, meter), progress)
    return RenderReport(
        frames=job.frames,
        channels=job.channels,
        sample_rate=sound.samplerate,
        container=container,
        subtype=subtype,
        input_peak=job.input_meter.peak,
        peak=meter.peak,
        clipped=meter.clipped,
        seconds=time.perf_counter() - started,
    )


def _large_enough(container: str, size: int) -> str:
    """Return the container that holds `size` bytes of audio: WAV, which counts in 32 bits, gives way to RF64."""
    if size <= _LIMIT or container not in _LIMITED:
        return container
    if container == "WAV":
        return "RF64"
    raise ParameterError(
        f"format {container} holds up to 4 GiB, the output needs {size / (1 << 30):.1f} GiB; expected WAV, W64, CAF "
        "or FLAC"
    )


def _share(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """Return a progress callback for one of several equal parts of the work."""
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, parts * total)


class _Job:
    """One pass of a source through a response.

    Attributes
    ----------
    frames, channels : int
        Of the output, as the header promises; `frames` is corrected where a damaged source held fewer.
    dtype : type
        Of the arithmetic.
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
    ) -> None:
        self.channels = response.wiring.outputs
        self._skip = response.latency
        self._extra = response.frames - 1 - response.latency if tail else 0
        self.frames = sound.frames + self._extra
        self.input_meter = Meter()
        self._sound = sound
        self._warn = warn
        self.dtype = np.float64 if sound.subtype in _DOUBLE else np.float32
        self._engine = OverlapAdd(
            response.samples.T, response.wiring, dtype=self.dtype, length=sound.frames, workers=workers
        )
        # Used in turn, for fresh memory costs more than to read into it.
        self._inputs = self._buffers(sound.channels)
        self._outputs = self._buffers(self.channels)

    def _buffers(self, channels: int) -> Iterator[Audio]:
        size = min(self._engine.preferred_frames, self._sound.frames)
        return itertools.cycle([np.empty((size, channels), self.dtype) for _ in range(pipeline.LIVE)])

    def run(self, sink: Callable[[Audio], None], progress: Progress | None) -> None:
        """Pull the whole source through the response into `sink`."""
        if self._warn and (lacking := shortfall(self._sound)) is not None:
            warnings.warn(lacking, stacklevel=4)
        pipeline.run(self._read(), lambda blocks: self._convolved(blocks, progress), sink)

    def _read(self) -> Iterator[Audio]:
        """Give the source's blocks as float."""
        sound, done = self._sound, 0
        for block in read_blocks(sound, self._engine.preferred_frames, self._read_block, warn=self._warn):
            if sound.subtype in _FLOATING and not np.isfinite(block).all():
                frame = done + int(np.argwhere(~np.isfinite(block))[0, 0])
                raise InvalidAudioError(
                    f"{sound.name}: NaN or infinity at frame {frame} ({frame / sound.samplerate:.3f} s); "
                    "repair the file first"
                )
            self.input_meter.watch(block)
            yield block
            done += len(block)
        self.frames = done + self._extra

    def _read_block(self, sound: Sound, frames: int) -> Audio:
        buffer = next(self._inputs)[:frames]
        if sound.subtype in _SIXTEEN_BITS:
            integers = sound.read(frames, "int16", always_2d=True)
            return sixteen_bit_to_float(integers, buffer[: len(integers)])
        block: Audio = sound.read(out=buffer)
        return block

    def _convolved(self, blocks: Iterator[Audio], progress: Progress | None) -> Iterator[Audio]:
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
            yield wanted(self._engine.process(block, next(self._outputs)))
            done += len(block)
            if progress:
                progress(done, self._sound.frames)
        for piece in self._engine.drain():
            yield wanted(piece)


@contextlib.contextmanager
def _writing(
    source: Sound,
    destination: PathLike,
    job: _Job,
    container: str,
    subtype: str,
    overwrite: bool,
) -> Iterator[soundfile.SoundFile]:
    """Give a file opened for writing, with the source's tags, that becomes `destination` when all is well."""
    with whole_or_nothing(destination, overwrite) as temporary:
        try:
            with soundfile.SoundFile(
                os.fsencode(temporary), "w", source.samplerate, job.channels, subtype, format=container
            ) as out:
                leave_out_peak_chunk(out)
                write_tags(out, read_tags(source))
                yield out
        except soundfile.LibsndfileError as error:
            what = f"{container} {subtype} with {job.channels} channels at {source.samplerate} Hz"
            raise write_error(destination, what, error) from error


def _sink(
    out: soundfile.SoundFile, subtype: str, dtype: npt.DTypeLike, dither: bool, meter: Meter
) -> Callable[[Audio], None]:
    """Return what takes the output's blocks: measured, rounded, written."""
    quantiser = Quantiser(BITS[subtype], out.channels, dtype, dither) if subtype in BITS else None

    def sink(block: Audio) -> None:
        meter.watch(block)
        for piece in quantiser.pieces(block) if quantiser else (block,):
            out.write(piece)

    return sink
