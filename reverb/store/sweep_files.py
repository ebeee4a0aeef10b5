"""Read and write sweeps and their recordings as audio files; the file's comment has the sweep's parameters."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, as_audio
from reverb.audiofiles.files import (
    check_density,
    check_peak,
    open_sound,
    output_format,
    output_subtype,
    read_blocks,
)
from reverb.audiofiles.outputs import PathLike
from reverb.checks import file_path, flag, instance
from reverb.errors import AudioFileError, ParameterError, ReverbError
from reverb.responses.measure.sweep import Sweep
from reverb.store.response_files import facts_in, write_with_facts

_COMMENT = "reverb sweep: "
_MAX_SECONDS = 3600
_BLOCK = 1 << 20  # frames
_LOSSY = {"OGG", "MP3"}


def save_played(
    samples: Audio, sweep: Sweep, path: PathLike, *, subtype: str = "PCM_24", overwrite: bool = False
) -> None:
    """Save a sweep, or a recording of it, with the sweep's parameters in the comment.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
        Up to ±1.
    sweep : Sweep
        The sweep that was played; it has the sample rate.
    path : path-like
        WAV, FLAC, AIFF, W64, CAF or RF64; a lossy format is refused.
    subtype : str
        The format of the samples in the file.
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    AudioFileError
        If the file exists and `overwrite` is false, or cannot be written.
    InvalidAudioError
        If the samples are not sound of this shape.
    ParameterError
        If the format is lossy, or an argument has the wrong type.
    """
    samples = as_audio(samples, "samples", many_channels=True)
    samples = samples[:, np.newaxis] if samples.ndim == 1 else samples
    instance("sweep", sweep, Sweep)
    instance("subtype", subtype, str, "a subtype such as PCM_24")
    path, overwrite = Path(file_path("path", path)), flag("overwrite", overwrite)
    container = output_format(path)
    if container in _LOSSY:
        raise ParameterError(f"{path}: {container} is lossy, which blurs the measurement; save it as .wav")
    write_with_facts(
        samples,
        sweep.sample_rate,
        path,
        (container, output_subtype(container, subtype)),
        "exponential sweep",
        _COMMENT + json.dumps(asdict(sweep)),
        overwrite=overwrite,
        peak_chunk=True,
    )


def load_played(path: PathLike) -> tuple[npt.NDArray[np.float64], int, Sweep | None]:
    """Load a sweep or a recording.

    Returns
    -------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
    sweep : Sweep or None
        From the file's comment; None if there is none, or the file is shorter than the sweep.

    Raises
    ------
    AudioFileError
        If the file cannot be read, or lasts longer than an hour.
    InvalidAudioError
        If it has NaN, or samples beyond the range of sound.
    """
    path = Path(file_path("recording", path))
    with open_sound(path) as sound:
        if sound.frames > _MAX_SECONDS * sound.samplerate:
            raise AudioFileError(f"{path}: lasts longer than an hour; cut the measurement out of it first")
        check_density(sound)
        blocks = read_blocks(sound, _BLOCK, lambda file, n: file.read(n, "float64", always_2d=True))
        samples = np.concatenate(list(blocks))
        comment = sound.copy_metadata().get("comment", "")
        sample_rate = sound.samplerate
    samples = as_audio(samples, str(path))
    check_peak(max(float(samples.max()), -float(samples.min())), str(path))
    sweep = _sweep(comment)
    complete = sweep is not None and sweep.frames <= len(samples)
    return np.asarray(samples, np.float64), sample_rate, sweep if complete else None


def _sweep(comment: str) -> Sweep | None:
    """Return the sweep in a comment; None if there is none, or it is invalid."""
    facts = facts_in(comment, _COMMENT)
    if not facts or not all(isinstance(facts.get(name, 1), int) for name in ("repetitions", "sources")):
        return None
    try:
        return Sweep(**facts)
    except (ValueError, TypeError, OverflowError, ReverbError):
        return None
