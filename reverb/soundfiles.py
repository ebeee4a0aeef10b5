"""The door to libsndfile: opening audio files with clear errors, and outputs that appear whole or not at all.

What is read and written is decided elsewhere (`reverb.responses.files`, `reverb.render.files`).
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import soundfile

from reverb.errors import AudioFileError, ParameterError

PathLike: TypeAlias = str | os.PathLike[str]

FORMATS = {
    ".wav": "WAV",
    ".wave": "WAV",
    ".flac": "FLAC",
    ".aif": "AIFF",
    ".aiff": "AIFF",
    ".aifc": "AIFF",
    ".ogg": "OGG",
    ".oga": "OGG",
    ".opus": "OGG",
    ".w64": "W64",
    ".rf64": "RF64",
    ".caf": "CAF",
    ".au": "AU",
    ".mp3": "MP3",
}
"""The container that a file name's ending stands for."""

# What to write where the source's own subtype does not exist in the output's container.
_FALLBACK_SUBTYPES = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
_FALLBACK_PCM = "PCM_24"
# libsndfile notes a chunk that promises more bytes than the file holds.
_SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
# A header that was never finished, or that means "until the end of the file".
_UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36}


def open_sound(path: PathLike) -> soundfile.SoundFile:
    """Open an audio file for reading.

    Raises
    ------
    AudioFileError
        If there is no such file, it is not audio that libsndfile knows, it has no frames, or its header
        makes no sense.
    """
    path = Path(path)
    if not path.exists():
        raise AudioFileError(f"{path}: no such file")
    if path.is_dir():
        raise AudioFileError(f"{path}: is a folder; expected an audio file")
    try:
        sound = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        if not os.access(path, os.R_OK):
            raise AudioFileError(f"{path}: no permission to read it") from error
        known = "WAV, AIFF, FLAC, OGG, W64, RF64, CAF, AU or MP3"
        reason = str(error.error_string).rstrip(". ")
        raise AudioFileError(f"{path}: not a readable audio file ({reason}); expected {known}") from error
    except TypeError as error:  # soundfile asks for rate and channels: the name ends in .raw
        raise AudioFileError(f"{path}: raw samples have no header; convert them to WAV first") from error
    if sound.frames == 0:
        sound.close()
        raise AudioFileError(f"{path}: holds no audio (0 frames)")
    return sound


def shortfall(sound: soundfile.SoundFile) -> str | None:
    """Return what an opened file lacks of the length that its header promises, None if it is whole."""
    found = _SHORT_CHUNK.search(sound.extra_info)
    if found is None or int(found[1]) in _UNKNOWN_SIZES or int(found[1]) <= int(found[2]):
        return None
    return (
        f"{sound.name}: truncated: the header promises {int(found[1])} bytes of audio, {int(found[2])} are there; "
        f"the {sound.frames} frames that can be read are used"
    )


def output_format(path: PathLike, override: str | None = None) -> str:
    """Return libsndfile's name of the container to write, from the file name's ending or an override."""
    known = sorted(set(FORMATS.values()))
    if override is not None:
        if override.upper() not in known:
            raise ParameterError(f"format {override!r}; expected one of {', '.join(known)}")
        return override.upper()
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ParameterError(
            f"{path}: the ending {ending!r} names no audio format; expected one of {', '.join(FORMATS)}"
        )
    return FORMATS[ending]


def output_subtype(container: str, source: str, override: str | None = None) -> str:
    """Return the subtype to write: the override, else the source's own, else the container's best usual one.

    Raises
    ------
    ParameterError
        If the container cannot hold the override.
    """
    possible = soundfile.available_subtypes(container)
    if override is not None:
        if override.upper() not in possible:
            raise ParameterError(
                f"subtype {override!r} in {container}; expected one of {', '.join(sorted(possible))}"
            )
        return override.upper()
    if source in possible:
        return source
    if source == "PCM_U8" and "PCM_S8" in possible:
        return "PCM_S8"
    if source == "PCM_S8" and "PCM_U8" in possible:
        return "PCM_U8"
    return _FALLBACK_SUBTYPES.get(container, _FALLBACK_PCM if _FALLBACK_PCM in possible else "PCM_16")


@contextlib.contextmanager
def whole_or_nothing(path: PathLike, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`, and rename it to `path` when all went well.

    On any exception, Ctrl-C included, the temporary file is removed and whatever stood at `path` stays.

    Raises
    ------
    AudioFileError
        If the output exists and must not be overwritten, or its folder cannot be written.
    """
    path = Path(path)
    check_output(path, overwrite)
    # A name of its own length, so that a final name of any allowed length works.
    temporary = path.parent / f".reverb-{secrets.token_hex(8)}.part"
    try:
        yield temporary
        _publish(temporary, path, overwrite)
    except FileNotFoundError as error:
        raise AudioFileError(f"{path}: its folder vanished while it was written") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_output(path: PathLike, overwrite: bool) -> None:
    """Raise AudioFileError where an output could not be written, before any work is done."""
    path = Path(path)
    if path.is_dir():
        raise AudioFileError(f"{path}: is a folder; give a file name in it")
    if os.path.lexists(path) and not overwrite:
        raise AudioFileError(f"{path}: exists already; use --force (overwrite=True) to replace it")
    if not path.parent.is_dir():
        raise AudioFileError(f"{path}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise AudioFileError(f"{path}: no permission to write in {path.parent}")


def _publish(temporary: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)  # fails where a file has appeared meanwhile; rename would replace it
    except FileExistsError:
        raise AudioFileError(f"{path}: appeared while it was being made, and was kept; use --force") from None
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        if os.path.lexists(path):
            raise AudioFileError(f"{path}: appeared while it was being made, and was kept") from None
        os.rename(temporary, path)  # a file system without hard links


def read_tags(sound: soundfile.SoundFile) -> dict[str, str]:
    """Return the tags of an opened file that libsndfile can carry: title, artist, comment, date, ..."""
    tags: dict[str, str] = sound.copy_metadata()
    # libsndfile appends its own name to the software's at each writing.
    if "software" in tags:
        tags["software"] = re.sub(r"( \(libsndfile-[^)]*\))+$", "", tags["software"])
    return tags


def write_tags(sound: soundfile.SoundFile, tags: Mapping[str, str]) -> None:
    """Set tags on a file opened for writing, before its audio; a tag the container lacks is left out."""
    for name, value in tags.items():
        with contextlib.suppress(soundfile.LibsndfileError):
            setattr(sound, name, value)
