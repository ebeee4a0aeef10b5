"""Checks that the readers of all formats share: the size of a file, its sample rate, and its sound."""

import os
from pathlib import Path

from reverb.arrays import Audio
from reverb.audiofiles.files import check_peak
from reverb.audiofiles.outputs import PathLike
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError
from reverb.responses.layouts import MAX_SAMPLES

MAX_SECONDS = 120
MAX_BYTES = 8 * MAX_SAMPLES


def checked_size(path: PathLike, max_bytes: int = MAX_BYTES) -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    AudioFileError
        If there is no such file, or it is empty or larger than `max_bytes`.
    """
    try:
        size = os.stat(path).st_size if os.path.isfile(path) else None
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be opened ({os.strerror(error.errno or 0)})") from error
    if size is None:
        raise AudioFileError(f"{path}: {'not a file' if os.path.exists(path) else 'no such file'}")
    if not 0 < size <= max_bytes:
        raise AudioFileError(f"{path}: has {size} bytes; expected 1 to {max_bytes}")
    return size


def checked_bytes(path: PathLike, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file; errors as for `checked_size`."""
    checked_size(path, max_bytes)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({os.strerror(error.errno or 0)})") from error


def check_given_rate(path: PathLike, own: int, given: int | None) -> None:
    """Raise ParameterError if the given sample rate is not the file's own."""
    if given not in (None, own):
        raise ParameterError(f"{path}: its sample rate is {own} Hz, not the given {given} Hz")


def require_sound(path: PathLike, samples: Audio) -> None:
    """Raise InvalidAudioError if samples from a file are silent, or beyond the range of sound."""
    check_peak(max(float(samples.max()), -float(samples.min())), str(path))
    if not samples.any():
        raise InvalidAudioError(f"{path}: is silent; expected an impulse response")
