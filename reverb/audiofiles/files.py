"""Audio files through libsndfile: opening and reading with clear errors, and the formats of outputs.

`reverb.store.response_files` and `reverb.render.files` read responses and recordings with it. How an output appears on
disk is decided in `reverb.audiofiles.outputs`.
"""

import contextlib
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile

from reverb.audiofiles.outputs import PathLike as PathLike
from reverb.checks import file_path, instance
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError

if TYPE_CHECKING:  # a listing of files needs no NumPy
    from reverb.arrays import Audio

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
"""The container of each file name ending."""

RATES = (100, 2_000_000)
"""Lowest and highest sample rate of a file in Hz: recorders of bats and whales use 1 MHz."""

# For outputs whose container does not have the source's own subtype.
_FALLBACK_SUBTYPES = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
_FALLBACK_PCM = "PCM_24"
# Endings that determine a subtype, too.
_ENDING_SUBTYPES = {".opus": "OPUS"}
# libsndfile only reads these, although it lists them as writable.
_READ_ONLY = {("WAV", "MPEG_LAYER_III"), ("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II")}
# The bytes of audio in libsndfile's log: those in the header and, sometimes, those in the file.
_AUDIO_BYTES = re.compile(r"^\s*(?:data|SSND|Data size)\s*:\s*(\d+)(?: \(should be (\d+)\))?", re.MULTILINE)
# Sizes in a header that was never finished, or that mean "until the end of the file".
_UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36}
_UNKNOWN_FRAMES = (1 << 63) - 1  # of a FLAC that was written to a pipe
_MAX_FRAMES = 1 << 35  # eight days at 48 kHz
_SAMPLE_DUMP = b"\xf0\x7e"  # the first bytes of a MIDI sample dump (SDS)
_DENSITY_CHECKED_FROM, _MAX_SAMPLES_PER_BYTE = 1 << 22, 128  # samples
_MAX_PEAK = 1e15  # larger float samples are no sound, and their products exceed the range of float32
_COUNTED_FRAMES = 1 << 16
_RETRY_FRAMES = 1024
_FULL_DISK_BYTES = 1 << 16
_MAX_VORBIS_RATE, _MAX_VORBIS_CHANNELS = 200_000, 255


class Sound(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """An audio file that is read in sequence.

    soundfile seeks to the current position after each block. At the end of a FLAC file that is truncated, or whose
    header has no length, that fails. It does not seek in a file that claims not to be seekable, so this one does.

    Attributes
    ----------
    frames : int
        Length by the header, or counted by a first pass if the header has no length.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._counted: int | None = None
        super().__init__(os.fsencode(path))  # a file name need not be valid text

    @property
    def name(self) -> str:
        """The path to the file."""
        return str(self.path)

    @property
    def frames(self) -> int:
        """Length in frames."""
        return int(super().frames) if self._counted is None else self._counted

    def seekable(self) -> bool:
        """Return False, so that soundfile does not seek after each block. `seek` works nevertheless."""
        return False

    def read(self, frames: int = -1, *args: Any, **kwargs: Any) -> Any:
        """Read as soundfile does: all remaining frames if `frames` is negative."""
        return super().read(self.frames - self.tell() if frames < 0 else frames, *args, **kwargs)

    def count_frames(self) -> None:
        """Count the frames of a file whose header has no length, by reading all of it."""
        with Sound(self.path) as reader, contextlib.suppress(soundfile.LibsndfileError):
            self._counted = 0
            while len(block := reader.read(_COUNTED_FRAMES, "int16")):
                self._counted += len(block)


class NewSound(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """An audio file to write. Closing it does not flush it to disk: `reverb.audiofiles.outputs` does, if needed."""

    def flush(self) -> None:
        """Do nothing: the system decides when to write to disk."""


def open_sound(path: PathLike) -> Sound:
    """Open an audio file for reading.

    Raises
    ------
    AudioFileError
        If there is no such file, libsndfile cannot read it, it has no frames, its sample rate is not 100 Hz to 2 MHz,
        or its header promises more than 2^35 frames.
    ParameterError
        If `path` is no path.
    """
    path = Path(file_path("path", path))
    _check_input(path)
    try:
        sound = Sound(path)
    except soundfile.LibsndfileError as error:
        if not os.access(path, os.R_OK):
            raise AudioFileError(f"{path}: no permission to read it") from error
        known = "WAV, AIFF, FLAC, OGG, W64, RF64, CAF, AU or MP3"
        raise AudioFileError(
            f"{path}: not a readable audio file ({_reason(error)}); expected {known}"
        ) from error
    except TypeError as error:  # soundfile requires rate and channels for names that end in .raw
        raise AudioFileError(f"{path}: raw samples have no header; convert them to WAV first") from error
    if sound.frames == _UNKNOWN_FRAMES:
        sound.count_frames()
    reason = _implausible(sound)
    if reason is not None:
        sound.close()
        raise AudioFileError(f"{path}: {reason}")
    return sound


def _implausible(sound: Sound) -> str | None:
    """Return why an opened file's header is not plausible; None if it is."""
    if sound.frames == 0:
        return "holds no audio (0 frames)"
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        return f"sample rate {sound.samplerate} Hz; expected {RATES[0]} to {RATES[1]} Hz"
    promised, present = _audio_bytes(sound)
    frames = max(sound.frames, sound.frames * promised // present)
    if frames > _MAX_FRAMES:
        return f"its header promises {frames} frames; expected at most {_MAX_FRAMES}"
    return None


def _check_input(path: Path) -> None:
    """Raise AudioFileError if a path cannot be an audio file."""
    try:
        path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "no such file" if missing else f"cannot be opened ({os.strerror(error.errno or 0)})"
        raise AudioFileError(f"{path}: {reason}") from error
    if path.is_dir():
        raise AudioFileError(f"{path}: is a folder; expected an audio file")
    if path.is_file() and os.access(path, os.R_OK):  # reading would consume a pipe's bytes
        with path.open("rb") as file:
            first_bytes = file.read(len(_SAMPLE_DUMP))
        # libsndfile would read damaged ones, too, and print their faults to standard output, where sound may go.
        if first_bytes == _SAMPLE_DUMP:
            raise AudioFileError(f"{path}: a MIDI sample dump; convert it to WAV first")


def read_blocks(
    sound: Sound, frames: int, read: "Callable[[Sound, int], Audio]", *, warn: bool = True
) -> "Iterator[Audio]":
    """Yield a file's audio in blocks, from its beginning up to the first damage.

    Parameters
    ----------
    sound : Sound
    frames : int
        Of a block.
    read : callable
        Takes an opened file and a number of frames, and returns the next block of at most that many.
    warn : bool
        Warn of damage.

    Raises
    ------
    AudioFileError
        If nothing can be read.

    Warns
    -----
    UserWarning
        If the file is damaged, or shorter than its header promises.
    """
    done, reason = 0, "it ends early"
    for size in (frames, min(frames, _RETRY_FRAMES)):
        # A decoder does not recover from an error; a new one in smaller steps gets closer to the damage.
        position = 0
        try:
            with Sound(sound.path) as source:
                while len(block := read(source, min(size, sound.frames - position))):
                    position += len(block)
                    if position > done:
                        yield block[done - position :]
                        done = position
            break
        except soundfile.LibsndfileError as error:
            reason = _reason(error)
    if done == 0:
        raise AudioFileError(f"{sound.name}: damaged, nothing can be read ({reason})")
    if done < sound.frames and warn:
        warnings.warn(
            f"{sound.name}: damaged at frame {done} of {sound.frames} ({reason}); what comes before is used",
            stacklevel=2,
        )


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).removeprefix("Error : ").rstrip(". ")


def bounded(subtype: str) -> bool:
    """Return whether a subtype is limited to samples within ±1: integers are, and LAME aborts at some larger ones."""
    return subtype.startswith(("PCM", "MPEG_LAYER"))


def check_encoder(path: PathLike, subtype: str, sample_rate: int, channels: int) -> None:
    """Raise AudioFileError for sample rates and channels at which libsndfile's Vorbis encoder would crash."""
    if subtype == "VORBIS" and not (sample_rate <= _MAX_VORBIS_RATE and channels <= _MAX_VORBIS_CHANNELS):
        raise AudioFileError(
            f"{path}: OGG VORBIS with {channels} channels at {sample_rate} Hz; expected at most {_MAX_VORBIS_CHANNELS} "
            f"channels at {_MAX_VORBIS_RATE} Hz. Write WAV or FLAC"
        )


def write_error(path: PathLike, what: str, error: soundfile.LibsndfileError) -> AudioFileError:
    """Return the error to raise if libsndfile could not write the file `path` in a format that `what` describes."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(Path(path).parent).free < _FULL_DISK_BYTES:
            return AudioFileError(f"{path}: no space left on the disk; the unfinished file was removed")
    return AudioFileError(f"{path}: cannot be written as {what} ({_reason(error)})")


def shortfall(sound: Sound) -> str | None:
    """Return a warning if an opened file has less audio than its header promises; None if it is complete."""
    promised, present = _audio_bytes(sound)
    if promised <= present:
        return None
    return (
        f"{sound.name}: truncated: the header promises {promised} bytes of audio, {present} are there; "
        f"the {sound.frames} frames that can be read are used"
    )


def _audio_bytes(sound: Sound) -> tuple[int, int]:
    """Return the bytes of audio that the header promises, and those present; (1, 1) if the header has no size."""
    found = _AUDIO_BYTES.search(sound.extra_info)
    if found is None or int(found[1]) in _UNKNOWN_SIZES:
        return 1, 1
    return int(found[1]), max(int(found[2] or os.path.getsize(os.fsencode(sound.path))), 1)


def check_density(sound: Sound) -> None:
    """Raise AudioFileError if a file that will be read into memory at once has too many samples for its size.

    Compressed silence has thousands of samples per byte, sound at most some 20.
    """
    samples, size = sound.frames * sound.channels, os.path.getsize(os.fsencode(sound.path))
    if samples > max(_DENSITY_CHECKED_FROM, _MAX_SAMPLES_PER_BYTE * size):
        raise AudioFileError(
            f"{sound.name}: promises {samples} samples in {size} bytes; expected at most {_MAX_SAMPLES_PER_BYTE} a "
            "byte. It is nearly all silence, or damaged"
        )


def check_peak(peak: float, name: str) -> None:
    """Raise InvalidAudioError if a file's largest absolute sample, 1 at full scale, exceeds the plausible range."""
    if peak > _MAX_PEAK:
        raise InvalidAudioError(
            f"{name}: holds a sample of {peak:.3g}, full scale is 1; expected at most {_MAX_PEAK:g}. Repair it first"
        )


def output_format(path: PathLike, override: str | None = None) -> str:
    """Return the container of the override, or else of the file name's ending; ParameterError if it is unknown."""
    known = sorted(set(FORMATS.values()))
    if override is not None:
        instance("format", override, str, f"one of {', '.join(known)}")
        if override.upper() not in known:
            raise ParameterError(f"format {override!r}; expected one of {', '.join(known)}")
        return override.upper()
    ending = Path(file_path("path", path)).suffix.lower()
    if ending not in FORMATS:
        raise ParameterError(
            f"{path}: the ending {ending!r} names no audio format; expected one of {', '.join(FORMATS)}"
        )
    return FORMATS[ending]


def output_subtype(container: str, source: str, override: str | None = None, ending: str = "") -> str:
    """Return the subtype to write, or raise ParameterError if the container does not have the override.

    It is the first of these that the container has: the override, that of an ending such as ``.opus``, the source's
    own, the other form of 8 bits (signed or unsigned), the container's default.
    """
    possible = soundfile.available_subtypes(container)
    if override is not None:
        instance("subtype", override, str, "a name such as 'PCM_16'")
        if override.upper() not in possible:
            raise ParameterError(
                f"subtype {override!r} in {container}; expected one of {', '.join(sorted(possible))}"
            )
        return override.upper()
    if _ENDING_SUBTYPES.get(ending.lower()) in possible:
        return _ENDING_SUBTYPES[ending.lower()]
    if source in possible and (container, source) not in _READ_ONLY:
        return source
    if source == "PCM_U8" and "PCM_S8" in possible:
        return "PCM_S8"
    if source == "PCM_S8" and "PCM_U8" in possible:
        return "PCM_U8"
    return _FALLBACK_SUBTYPES.get(container, _FALLBACK_PCM if _FALLBACK_PCM in possible else "PCM_16")


def read_tags(sound: soundfile.SoundFile) -> dict[str, str]:
    """Return the tags of an opened file that libsndfile knows: title, artist, comment, date, ..."""
    tags: dict[str, str] = sound.copy_metadata()
    # libsndfile appends its own name to the software tag whenever it writes a file.
    if "software" in tags:
        tags["software"] = re.sub(r"( \(libsndfile-[^)]*\))+$", "", tags["software"])
    return tags


def write_tags(sound: soundfile.SoundFile, tags: Mapping[str, str]) -> None:
    """Set tags on a file opened for writing, before its audio, except those that its container lacks."""
    for name, value in tags.items():
        with contextlib.suppress(soundfile.LibsndfileError):
            setattr(sound, name, value)
