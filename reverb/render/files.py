"""Rendering: an audio file through an effect into another, of any length in constant memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile

from reverb.audiofiles.files import (
    NewSound,
    Sound,
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
from reverb.checks import file_path, flag, instance, worker_count
from reverb.choices import Normalize
from reverb.effects.effect import HasResponse, check_effect
from reverb.effects.fold import fold
from reverb.engine.machine import Machine
from reverb.errors import AudioFileError, ParameterError, ReverbError
from reverb.levels import to_db
from reverb.render.job import Job, Progress, check_progress, measure_level
from reverb.render.loudness import GainDecision, LoudnessMeter, PeakMeter
from reverb.render.quantize import block_writer
from reverb.render.settings import RenderSettings

STANDARD_STREAM = "-"
"""The name of standard input as a source, and of standard output as a destination."""

_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
_LIMITED = {"WAV", "AIFF", "AU"}  # their headers count bytes in 32 bits
_MAX_BYTES = (1 << 32) - (1 << 20)  # leaves room for chunks and tags


@dataclass(frozen=True, kw_only=True)
class RenderReport:
    """The facts of a finished rendering.

    Attributes
    ----------
    frames, channels, sample_rate : int
        Of the output.
    container, subtype : str
        Of the output, in libsndfile's names.
    input_peak, peak : float
        Largest absolute sample of input and output, full scale is 1.
    clipped : int
        Samples of the output beyond full scale: limited in integer formats, kept in float ones.
    seconds : float
        Wall time of the rendering.
    input_loudness, loudness : float or None
        Integrated loudness of input and output in LUFS (ITU-R BS.1770), −inf for silence; None if not measured.
    true_peak : float or None
        Of the output, in dBTP; None if not measured.
    reduction_db : float
        Gain withheld to respect the ceiling, or full scale, in dB (≥ 0): how far the output stays below the requested
        loudness.
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
    reduction_db: float = 0.0

    @property
    def duration(self) -> float:
        """Length of the output in seconds."""
        return self.frames / self.sample_rate

    @property
    def speed(self) -> float:
        """Duration of the output ÷ wall time: above 1 is faster than real time."""
        return self.duration / self.seconds

    @property
    def peak_db(self) -> float:
        """Output peak in dBFS."""
        return to_db(self.peak)

    @property
    def held(self) -> float:
        """The old name of `reduction_db`."""
        warnings.warn("RenderReport.held is now RenderReport.reduction_db", DeprecationWarning, stacklevel=2)
        return self.reduction_db


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
        Keep the sound after the end of the input.
    gain : float
        Gain of the output in dB, up to 120, −inf for silence; without effect if `normalize` or `loudness` sets the
        level.
    normalize : {'none', 'peak'}
        ``peak`` scales the output to a peak of −1 dBFS, by rendering twice.
    match_loudness : bool
        Give the output the input's integrated loudness (ITU-R BS.1770) plus `gain`, by rendering twice.
    loudness : float, optional
        Give the output this integrated loudness, −70 to 0 LUFS, by rendering twice.
    ceiling : float, optional
        Limit the true peak (4 × oversampled) to this, −60 to 0 dBTP, with less gain and by rendering twice. Without a
        ceiling, `loudness` and `match_loudness` keep all samples within full scale.
    floor_db : float, optional
        Trim the ends of the effect's folded response below this level, up to 0 dB relative to its peak
        (`reverb.effects.fold.trim`). By default nothing is trimmed.
    container : str, optional
        Such as WAV or FLAC; by default that of the destination's ending. WAV becomes RF64 beyond 4 GiB.
    subtype : str, optional
        Such as PCM_16 or FLOAT; by default the source's own if the container has it.
    dither : bool, optional
        Triangular dither before rounding; by default for 16 bits and fewer.
    overwrite : bool
        Replace an existing destination.
    measure : bool
        Report the output's loudness, even if no setting needs it.
    workers : int, optional
        Threads for the convolution, by default one per core. Reading and both halves of the engine have at least one
        thread each. The result does not depend on it.
    progress : callable, optional
        Called from time to time with the number of frames done and the total.
    machine : Machine, optional
        With the FFT plans to follow (`reverb.engine.machine`); by default this machine.

    Returns
    -------
    RenderReport

    Raises
    ------
    AudioFileError
        If the source cannot be read or the destination cannot be written.
    InvalidAudioError
        If the source contains NaN or infinity, or its channels do not suit the effect.
    ParameterError
        If a setting is out of range, or two of them contradict each other.

    Warns
    -----
    UserWarning
        If the source is truncated or damaged; its readable part is rendered.

    Examples
    --------
    >>> import reverb, tempfile, soundfile
    >>> folder = tempfile.mkdtemp()
    >>> soundfile.write(f"{folder}/dry.wav", [0.5] * 4800, 48_000)
    >>> report = reverb.process_file(f"{folder}/dry.wav", f"{folder}/wet.flac", reverb.Gain(-6.0))
    >>> report.frames, report.container
    (4800, 'FLAC')
    """
    settings = RenderSettings(
        tail=tail, gain=gain, normalize=normalize, match_loudness=match_loudness, loudness=loudness, ceiling=ceiling,
        floor_db=floor_db, container=container, subtype=subtype, dither=dither,
    )  # fmt: skip
    return render_file(
        source, destination, effect, settings, overwrite=overwrite, measure=measure, workers=workers,
        progress=progress, machine=machine,
    )  # fmt: skip


def render_file(
    source: PathLike,
    destination: PathLike,
    effect: HasResponse,
    settings: RenderSettings,
    *,
    overwrite: bool = False,
    measure: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    machine: Machine | None = None,
) -> RenderReport:
    """Apply an effect to an audio file, as `process_file` does, with all settings in one value."""
    started = time.perf_counter()
    source, destination = file_path("source", source), file_path("destination", destination)
    check_effect("effect", effect)
    for name, value in (("overwrite", overwrite), ("measure", measure)):
        flag(name, value)
    workers = worker_count(workers)
    check_progress(progress)
    if machine is not None:
        instance("machine", machine, Machine)
    with open_sound(source) as sound:
        if os.path.exists(destination) and os.path.samefile(source, destination):
            raise AudioFileError(f"{destination}: is the input itself; choose another output")
        check_output(destination, overwrite)
        container = output_format(destination, settings.container)
        subtype = output_subtype(container, sound.subtype, settings.subtype, Path(destination).suffix)
        response = fold(effect, sound.samplerate, sound.channels, floor_db=settings.floor_db)
        decision = GainDecision(settings.gain)
        if settings.needs_first_pass:
            decision = measure_level(sound, response, settings, workers, _half(progress, 0), machine)
            progress = _half(progress, 1)
        response *= decision.factor
        warn = not settings.needs_first_pass  # which has warned
        job = Job(sound, response, settings.tail, workers, warn=warn, machine=machine)
        del response  # up to 64 MB, which the engine no longer needs
        container = _large_enough(container, job.frames * job.channels * _BYTES.get(subtype, 4))
        peak_meter = PeakMeter()
        meters = [peak_meter.push]
        loudness_meter = None
        if measure and not settings.needs_loudness:
            loudness_meter = LoudnessMeter(sound.samplerate, job.channels)
            meters.append(loudness_meter.push)
        with _output(sound, destination, job.channels, container, subtype, overwrite) as out:
            job.run(block_writer(out, subtype, job.dtype, settings.dither, meters), progress)
    return RenderReport(
        frames=job.frames,
        channels=job.channels,
        sample_rate=sound.samplerate,
        container=container,
        subtype=subtype,
        input_peak=job.input_meter.peak,
        peak=peak_meter.peak,
        clipped=peak_meter.clipped,
        seconds=time.perf_counter() - started,
        input_loudness=decision.input_loudness,
        loudness=loudness_meter.integrated if loudness_meter else decision.loudness,
        true_peak=decision.true_peak,
        reduction_db=decision.reduction_db,
    )


def _large_enough(container: str, size: int) -> str:
    """Return a container for `size` bytes of audio: RF64 instead of a WAV beyond 4 GiB."""
    if size <= _MAX_BYTES or container not in _LIMITED:
        return container
    if container == "WAV":
        return "RF64"
    raise ParameterError(
        f"format {container} holds up to 4 GiB, the output needs {size / (1 << 30):.1f} GiB; expected WAV, W64, CAF "
        "or FLAC"
    )


def _half(progress: Progress | None, part: int) -> Progress | None:
    """Return a progress callback for the first pass (0) or the second (1)."""
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, 2 * total)


@contextlib.contextmanager
def _output(
    source: Sound, destination: PathLike, channels: int, container: str, subtype: str, overwrite: bool
) -> Iterator[NewSound]:
    """Yield a file opened for writing, with the source's tags, that becomes `destination` if all goes well."""
    sample_rate = source.samplerate
    check_encoder(destination, subtype, sample_rate, channels)
    with whole_or_nothing(destination, overwrite) as temporary:
        try:
            with NewSound(
                os.fsencode(temporary), "w", sample_rate, channels, subtype, format=container
            ) as out:
                leave_out_peak_chunk(out)
                write_tags(out, read_tags(source))
                yield out
        except soundfile.LibsndfileError as error:
            what = f"{container} {subtype} with {channels} channels at {sample_rate} Hz"
            raise write_error(destination, what, error) from error


@contextlib.contextmanager
def source_file(source: PathLike) -> Iterator[PathLike]:
    """Yield the path to read: `source` itself, or a temporary copy of standard input for ``-``.

    Most formats need to seek, which a pipe cannot.
    """
    if source != STANDARD_STREAM:
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="reverb-") as folder:
        copy = Path(folder) / "stdin"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        if copy.stat().st_size == 0:
            raise AudioFileError("standard input: is empty; expected an audio file")
        try:
            yield copy
        except ReverbError as error:  # the copy's name means nothing to the user
            raise type(error)(str(error).replace(str(copy), "standard input")) from error


@contextlib.contextmanager
def destination_file(destination: PathLike, container: str | None) -> Iterator[PathLike]:
    """Yield the path to write: `destination` itself, or a temporary file, sent to standard output later, for ``-``."""
    if destination != STANDARD_STREAM:
        yield destination
        return
    with tempfile.TemporaryDirectory(prefix="reverb-") as folder:
        path = Path(folder) / f"stdout.{(container or 'wav').lower()}"
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()
