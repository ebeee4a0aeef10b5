"""Sweeps and their recordings as audio files; what was played is written into the file's comment."""

import json
import os
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from reverb.arrays import Audio, as_audio
from reverb.audiofiles.files import (
    NewSound,
    check_density,
    check_loudness,
    open_sound,
    output_format,
    output_subtype,
    read_blocks,
    write_error,
    write_tags,
)
from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.errors import AudioFileError, ParameterError, ReverbError
from reverb.responses.measure.sweep import Sweep

Array: TypeAlias = npt.NDArray[np.float64]

_COMMENT = "reverb sweep: "
_LONGEST_SECONDS = 3600
_NOT_EXACT = {"OGG", "MP3"}


def save_played(
    samples: Audio, sweep: Sweep, path: PathLike, *, subtype: str = "PCM_24", overwrite: bool = False
) -> None:
    """Save a sweep, or a recording of it, with the sweep's parameters in the comment.

    Parameters
    ----------
    samples : ndarray, shape (frames, channels)
        Up to ±1.
    sweep : Sweep
        What was played; gives the sample rate.
    path : path-like
        WAV, FLAC, AIFF, W64, CAF or RF64; a lossy format is refused.
    subtype : str
        Of the samples in the file.
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    AudioFileError
        If the file exists and must not be replaced, or cannot be written.
    ParameterError
        If the format is lossy.
    """
    container = output_format(path)
    if container in _NOT_EXACT:
        raise ParameterError(f"{path}: {container} is lossy and would blur the measurement; save it as .wav")
    kind = output_subtype(container, subtype)
    with whole_or_nothing(path, overwrite) as temporary:
        try:
            channels = samples.shape[1]
            with NewSound(
                os.fsencode(temporary), "w", sweep.sample_rate, channels, kind, format=container
            ) as sound:
                write_tags(
                    sound, {"title": "exponential sweep", "comment": _COMMENT + json.dumps(asdict(sweep))}
                )
                sound.write(samples)
        except soundfile.LibsndfileError as error:
            raise write_error(path, f"{container} {kind} with {samples.shape[1]} channels", error) from error


def load_played(path: PathLike) -> tuple[Array, int, Sweep | None]:
    """Load a sweep or a recording.

    Returns
    -------
    samples : ndarray, shape (frames, channels)
    sample_rate : int
    sweep : Sweep or None
        As the file's comment tells it; None for a file of somebody else's, or one shorter than the sweep.

    Raises
    ------
    AudioFileError
        If the file cannot be read, or lasts longer than an hour.
    """
    with open_sound(path) as sound:
        if sound.frames > _LONGEST_SECONDS * sound.samplerate:
            raise AudioFileError(f"{path}: lasts longer than an hour; cut the measurement out of it first")
        check_density(sound)
        blocks = read_blocks(sound, 1 << 20, lambda file, n: file.read(n, "float64", always_2d=True))
        samples = np.concatenate(list(blocks))
        comment = sound.copy_metadata().get("comment", "")
        rate = sound.samplerate
    samples = as_audio(samples, str(path))
    check_loudness(max(float(samples.max()), -float(samples.min())), str(path))
    sweep = _sweep(comment)
    held = sweep is not None and sweep.frames <= len(samples)
    return np.asarray(samples, np.float64), rate, sweep if held else None


def _sweep(comment: str) -> Sweep | None:
    """Return the sweep that a comment tells of; None where it tells of none, or of nonsense."""
    if not comment.startswith(_COMMENT):
        return None
    try:
        facts: dict[str, Any] = json.loads(comment[len(_COMMENT) :])
        whole = all(isinstance(facts.get(name, 1), int) for name in ("repetitions", "sources"))
        return Sweep(**facts) if whole else None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, ReverbError):
        return None
