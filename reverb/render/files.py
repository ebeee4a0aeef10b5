"""Rendering: an audio file through an effect into another, of any length in constant memory."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from reverb.arrays import Audio
from reverb.audiofiles.files import (
    NewSound,
    Sound,
    bounded,
    check_encoder,
    open_sound,
    output_format,
    output_subtype,
    read_tags,
    write_error,
    write_tags,
)
from reverb.audiofiles.libsndfile import leave_out_peak_chunk
from reverb.audiofiles.outputs import PathLike, check_output, whole_or_nothing
from reverb.audiofiles.packed import PackedWriter, packed
from reverb.effects.effect import HasResponse
from reverb.effects.fold import check_workers, fold
from reverb.engine.machine import Machine
from reverb.errors import AudioFileError, ParameterError
from reverb.levels import to_db
from reverb.render.job import Job, Progress
from reverb.render.levelling import Levelling, Measurement, Normalize, Verdict
from reverb.render.loudness import LoudnessMeter
from reverb.render.quantize import BITS, DITHERED_BITS, PIECE, Meter, Quantiser
from reverb.responses.response import ImpulseResponse

Sink: TypeAlias = Callable[[Audio], None]

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
    input_loudness, loudness : float or None
        Integrated loudness before and after, in LUFS (ITU-R BS.1770), −inf for silence; None where it was not measured.
    true_peak : float or None
        Of the output, in dBTP; None where it was not measured.
    held : float
        By how many dB the ceiling, or full scale, keeps the output under the loudness that was asked for.
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
    input_loudness: float | None = None
    loudness: float | None = None
    true_peak: float | None = None
    held: float = 0.0

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
    match_loudness: bool = False,
    loudness: float | None = None,
    ceiling: float | None = None,
    floor_db: float | None = None,
    container: str | None = None,
    subtype: str | None = None,
    dither: bool | None = None,
    overwrite: bool = False,
    measure: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    machine: Machine | None = None,
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
    match_loudness : bool
        Make the output as loud as the input (integrated loudness, ITU-R BS.1770) but for `gain`, by rendering twice.
    loudness : float, optional
        Bring the output to this loudness in LUFS, by rendering twice.
    ceiling : float, optional
        Keep the true peak (4 × oversampled) at or under this level in dBTP, by less gain. Without it a loudness that is
        asked for is reached as far as no sample goes beyond full scale.
    floor_db : float, optional
        Leave out the ends of the effect's folded response below this level, in dB of its peak
        (`reverb.effects.fold.trim`); by default it is kept whole.
    container : str, optional
        Such as WAV or FLAC; by default what the destination's ending says. WAV becomes RF64 beyond 4 GiB.
    subtype : str, optional
        Such as PCM_16 or FLOAT; by default the source's own where the container has it.
    dither : bool, optional
        Triangular dither before rounding; by default for 16 bits and fewer.
    overwrite : bool
        Replace an existing destination.
    measure : bool
        Report the output's loudness, which is otherwise known only where one of the levels above asks for it.
    workers : int, optional
        Threads for the convolution, by default one per core, of which reading and the engine's two halves have one each
        at the least; the result does not depend on it.
    progress : callable, optional
        Called now and then with frames done and frames in all.
    machine : Machine, optional
        Whose FFT plans are followed (`reverb.engine.machine`); by default this one's.

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
    asked = Levelling(
        gain=gain,
        normalize=normalize,
        match_loudness=match_loudness,
        loudness=loudness,
        ceiling=ceiling,
    )
    check_workers(workers)
    with open_sound(source) as sound:
        if os.path.exists(destination) and os.path.samefile(source, destination):
            raise AudioFileError(f"{destination}: is the input itself; choose another output")
        check_output(destination, overwrite)
        container = output_format(destination, container)
        subtype = output_subtype(container, sound.subtype, subtype, Path(destination).suffix)
        response = fold(effect, sound.samplerate, sound.channels, floor_db=floor_db)
        verdict = Verdict(gain)
        if asked.measures:
            verdict = _measured(sound, response, tail, workers, asked, _share(progress, 0, 2), machine)
            progress = _share(progress, 1, 2)
        response *= verdict.factor
        job = Job(sound, response, tail, workers, warn=not asked.measures, machine=machine)
        del response  # up to 64 MB, of which the engine has what it needs
        container = _large_enough(container, job.frames * job.channels * _BYTES.get(subtype, 4))
        if dither is None:
            dither = BITS.get(subtype, 32) <= DITHERED_BITS
        loudness_meter = (
            LoudnessMeter(sound.samplerate, job.channels) if measure and not asked.weighs else None
        )
        with _writing(sound, destination, job, container, subtype, overwrite) as out:
            meter = Meter()
            watching = [meter.watch, *([loudness_meter.watch] if loudness_meter else [])]
            job.run(_sink(out, subtype, job.dtype, dither, watching), progress)
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
        input_loudness=verdict.input_loudness,
        loudness=loudness_meter.integrated if loudness_meter else verdict.loudness,
        true_peak=verdict.true_peak,
        held=verdict.held,
    )


def _measured(
    sound: Sound,
    response: ImpulseResponse,
    tail: bool,
    workers: int | None,
    asked: Levelling,
    progress: Progress | None,
    machine: Machine | None,
) -> Verdict:
    """Return what a first pass, which writes nothing, says about the level."""
    measurement = Measurement(asked, sound.samplerate, sound.channels, response.wiring.outputs)
    Job(sound, response, tail, workers, listen=measurement.heard, machine=machine).run(
        measurement.watch, progress
    )
    return measurement.result()


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


@contextlib.contextmanager
def _writing(
    source: Sound,
    destination: PathLike,
    job: Job,
    container: str,
    subtype: str,
    overwrite: bool,
) -> Iterator[NewSound]:
    """Give a file opened for writing, with the source's tags, that becomes `destination` when all is well."""
    check_encoder(destination, subtype, source.samplerate, job.channels)
    with whole_or_nothing(destination, overwrite) as temporary:
        try:
            with NewSound(
                os.fsencode(temporary), "w", source.samplerate, job.channels, subtype, format=container
            ) as out:
                leave_out_peak_chunk(out)
                write_tags(out, read_tags(source))
                yield out
        except soundfile.LibsndfileError as error:
            what = f"{container} {subtype} with {job.channels} channels at {source.samplerate} Hz"
            raise write_error(destination, what, error) from error


def _sink(
    out: NewSound,
    subtype: str,
    dtype: npt.DTypeLike,
    dither: bool,
    watching: Sequence[Sink],
) -> Sink:
    """Return what takes the output's blocks: measured, rounded, written."""
    writer = PackedWriter(PIECE * out.channels) if packed(out) else None
    quantiser = None
    if subtype in BITS:
        quantiser = Quantiser(BITS[subtype], out.channels, dtype, dither, upper=writer is None)
    held = bounded(subtype)

    def take(piece: Audio) -> None:
        for watch in watching:
            watch(piece)
        if quantiser is None:
            if held:
                np.clip(piece, -1.0, 1.0, out=piece)
            out.write(piece)
        elif writer is None:
            out.write(quantiser.integers(piece))
        else:
            writer.write(out, quantiser.integers(piece))

    def sink(block: Audio) -> None:
        for start in range(0, len(block), PIECE):
            take(block[start : start + PIECE])

    return sink
