"""The door to libsndfile: opening audio files with clear errors, and what a format can hold.

`reverb.store.response_files` and `reverb.render.files` decide what is read and written; `reverb.audiofiles.outputs`,
how an output appears.
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

from reverb.audiofiles.outputs import PathLike as PathLike  # its home is there, its users come here
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError

if TYPE_CHECKING:  # at run time NumPy is left to those who need it
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
"""The container that a file name's ending stands for."""

RATES = (100, 2_000_000)
"""The sample rates in Hz that a file may tell: recorders of bats and whales know 1 MHz."""

# What to write where the source's own subtype does not exist in the output's container.
_FALLBACK_SUBTYPES = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
_FALLBACK_PCM = "PCM_24"
# Endings that stand for more than a container.
_ENDING_SUBTYPES = {".opus": "OPUS"}
# libsndfile reads these and says that it writes them, too.
_READ_ONLY = {("WAV", "MPEG_LAYER_III"), ("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II")}
# What libsndfile notes of the audio's bytes: those that the header promises and, at times, those that are there.
_AUDIO_BYTES = re.compile(r"^\s*(?:data|SSND|Data size)\s*:\s*(\d+)(?: \(should be (\d+)\))?", re.MULTILINE)
# A header that was never finished, or that means "until the end of the file".
_UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36}
_UNKNOWN_FRAMES = (1 << 63) - 1  # of a FLAC that was written to a pipe
_MOST_FRAMES = 1 << 35  # eight days at 48 kHz
_SAMPLE_DUMP = b"\xf0\x7e"  # how a MIDI sample dump (SDS) begins
_MANY_SAMPLES, _MOST_PER_BYTE = 1 << 22, 128
_LOUDEST = 1e15  # float samples beyond are no sound, and their products leave the range of float32
_COUNTED_FRAMES = 1 << 16
_RETRY_FRAMES = 1024
_FULL_BYTES = 1 << 16
_VORBIS_RATE, _VORBIS_CHANNELS = 200_000, 255


class Sound(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """An audio file that is read in sequence.

    soundfile seeks to where it stands after each block it has read; a FLAC that is cut short or whose header
    does not say its length cannot do that at its end. A file that says it cannot seek is spared it.

    Attributes
    ----------
    frames : int
        Its length; where the header does not tell it, what a first pass has counted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._counted: int | None = None
        super().__init__(os.fsencode(path))  # a name may hold bytes that are no text

    @property
    def name(self) -> str:
        """The path as it was given."""
        return str(self.path)

    @property
    def frames(self) -> int:
        """Length in frames."""
        return int(super().frames) if self._counted is None else self._counted

    def seekable(self) -> bool:
        """Return False: blocks come one after the other. `seek` works all the same."""
        return False

    def read(self, frames: int = -1, *args: Any, **kwargs: Any) -> Any:
        """Read as soundfile does; all that is left where `frames` is negative."""
        return super().read(self.frames - self.tell() if frames < 0 else frames, *args, **kwargs)

    def count_frames(self) -> None:
        """Learn the length of a file whose header does not tell it, by reading it through."""
        with Sound(self.path) as reader, contextlib.suppress(soundfile.LibsndfileError):
            self._counted = 0
            while len(block := reader.read(_COUNTED_FRAMES, "int16")):
                self._counted += len(block)


class NewSound(soundfile.SoundFile):  # type: ignore[misc]  # likewise
    """An audio file to write, closed without waiting for the disk: `reverb.audiofiles.outputs` decides when to."""

    def flush(self) -> None:
        """Leave it to the system when the disk gets what has been written."""


def open_sound(path: PathLike) -> Sound:
    """Open an audio file for reading.

    Raises
    ------
    AudioFileError
        If there is no such file, it is not audio that libsndfile knows, it has no frames, or its header
        makes no sense: its rate is not 100 Hz to 2 MHz, or it promises more than 2^35 frames.
    """
    path = Path(path)
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
    except TypeError as error:  # soundfile asks for rate and channels: the name ends in .raw
        raise AudioFileError(f"{path}: raw samples have no header; convert them to WAV first") from error
    if sound.frames == _UNKNOWN_FRAMES:
        sound.count_frames()
    reason = _nonsense(sound)
    if reason is not None:
        sound.close()
        raise AudioFileError(f"{path}: {reason}")
    return sound


def _nonsense(sound: Sound) -> str | None:
    """Return what makes no sense in an opened file's header, None if all does."""
    if sound.frames == 0:
        return "holds no audio (0 frames)"
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        return f"sample rate {sound.samplerate} Hz; expected {RATES[0]} to {RATES[1]} Hz"
    promised, there = _audio_bytes(sound)
    frames = max(sound.frames, sound.frames * promised // there)
    if frames > _MOST_FRAMES:
        return f"its header promises {frames} frames; expected at most {_MOST_FRAMES}"
    return None


def _check_input(path: Path) -> None:
    try:
        path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "no such file" if missing else f"cannot be opened ({os.strerror(error.errno or 0)})"
        raise AudioFileError(f"{path}: {reason}") from error
    if path.is_dir():
        raise AudioFileError(f"{path}: is a folder; expected an audio file")
    if path.is_file() and os.access(path, os.R_OK):  # a pipe's bytes would be lost
        with path.open("rb") as file:
            begins = file.read(len(_SAMPLE_DUMP))
        # libsndfile plays damaged ones all the same, and prints what is wrong into standard output, amid the sound.
        if begins == _SAMPLE_DUMP:
            raise AudioFileError(f"{path}: a MIDI sample dump; convert it to WAV first")


def read_blocks(
    sound: Sound, frames: int, read: "Callable[[Sound, int], Audio]", *, warn: bool = True
) -> "Iterator[Audio]":
    """Give a file's audio from its beginning, block by block; where it is damaged, as far as it can be read.

    Parameters
    ----------
    sound : Sound
    frames : int
        Of a block.
    read : callable
        Takes an opened file and a number of frames, gives the next block of at most as many.
    warn : bool
        Say where the file is damaged.

    Raises
    ------
    AudioFileError
        If nothing can be read at all.

    Warns
    -----
    UserWarning
        If the file is damaged or shorter than it says.
    """
    done, reason = 0, "it ends early"
    for size in (frames, min(frames, _RETRY_FRAMES)):
        # A decoder does not recover from an error; a second one in smaller steps comes closer to it.
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
    """Return whether a subtype is for samples within ±1: integers hold no others, and LAME aborts over some."""
    return subtype.startswith(("PCM", "MPEG_LAYER"))


def check_encoder(path: PathLike, subtype: str, sample_rate: int, channels: int) -> None:
    """Raise AudioFileError for what libsndfile's Vorbis encoder does not refuse but crashes at."""
    if subtype == "VORBIS" and not (sample_rate <= _VORBIS_RATE and channels <= _VORBIS_CHANNELS):
        raise AudioFileError(
            f"{path}: OGG VORBIS with {channels} channels at {sample_rate} Hz; expected at most {_VORBIS_CHANNELS} "
            f"channels at {_VORBIS_RATE} Hz. Write WAV or FLAC"
        )


def write_error(path: PathLike, what: str, error: soundfile.LibsndfileError) -> AudioFileError:
    """Return the error to raise where libsndfile could not write `what` for the file `path`."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(Path(path).parent).free < _FULL_BYTES:
            return AudioFileError(f"{path}: no space left on the disk; the unfinished file was removed")
    return AudioFileError(f"{path}: cannot be written as {what} ({_reason(error)})")


def shortfall(sound: Sound) -> str | None:
    """Return what an opened file lacks of the length that its header promises, None if it is whole."""
    promised, there = _audio_bytes(sound)
    if promised <= there:
        return None
    return (
        f"{sound.name}: truncated: the header promises {promised} bytes of audio, {there} are there; "
        f"the {sound.frames} frames that can be read are used"
    )


def _audio_bytes(sound: Sound) -> tuple[int, int]:
    """Return the bytes of audio that a header promises, and how many can be there; (1, 1) where it does not tell."""
    found = _AUDIO_BYTES.search(sound.extra_info)
    if found is None or int(found[1]) in _UNKNOWN_SIZES:
        return 1, 1
    return int(found[1]), max(int(found[2] or os.path.getsize(os.fsencode(sound.path))), 1)


def check_density(sound: Sound) -> None:
    """Raise AudioFileError where a small file promises so much sound that hardly any can be in it.

    For those who take a file into memory whole: silence packs into thousands of samples per byte, sound into
    some 20 at most.
    """
    samples, size = sound.frames * sound.channels, os.path.getsize(os.fsencode(sound.path))
    if samples > max(_MANY_SAMPLES, _MOST_PER_BYTE * size):
        raise AudioFileError(
            f"{sound.name}: promises {samples} samples in {size} bytes; expected at most {_MOST_PER_BYTE} a byte. "
            "It is nearly all silence, or damaged"
        )


def check_loudness(largest: float, name: str) -> None:
    """Raise InvalidAudioError where a file's largest sample is none of a sound, full scale being 1."""
    if largest > _LOUDEST:
        raise InvalidAudioError(
            f"{name}: holds a sample of {largest:.3g}, full scale is 1; expected at most {_LOUDEST:g}. Repair it first"
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


def output_subtype(container: str, source: str, override: str | None = None, ending: str = "") -> str:
    """Return the subtype to write: the override, else the source's own, else the container's best usual one.

    A file name's ending such as ``.opus`` may ask for a subtype of its own.

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
