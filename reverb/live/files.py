"""Audio files beside the audio thread: a player in place of the card's input, and a recorder.

Each has a thread that reads or writes the file, and a ring buffer between that thread and the audio thread.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from reverb.arrays import Block
from reverb.audiofiles.files import PathLike, open_sound, output_format
from reverb.audiofiles.libsndfile import keep_header_right
from reverb.audiofiles.outputs import check_output
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError

_POLL_SECONDS = 0.02
_PLAYER_AHEAD_SECONDS = 4.0
_PLAYER_PIECE_SECONDS = 0.25
_MAX_START_SECONDS = 2.0

_RECORDER_AHEAD_SECONDS = 8.0
_RECORDER_INTERVAL_SECONDS = 0.1
_SUBTYPE = "FLOAT"
_SAMPLE_BYTES = 4
# The headers of these formats can be rewritten in place, so that the file is valid whenever the process dies.
_CRASH_PROOF = {"WAV", "AIFF", "W64", "RF64", "CAF", "AU"}
_MAX_BYTES = (1 << 32) - (1 << 20)  # a WAV or AIFF header counts bytes in 32 bits
_LIMITED = {"WAV", "AIFF"}


class Ring:
    """A bounded queue of frames between one writing thread and one reading thread; neither waits for the other.

    Parameters
    ----------
    frames : int
        Capacity.
    channels : int

    Notes
    -----
    Invariant: ``_read <= _written <= _read + frames``, where both count frames since the start; frame n is stored at
    ``n mod frames``. Only the writer changes `_written` and only the reader `_read`, each after its samples have been
    copied. An assignment is atomic in Python, so no lock is needed and neither thread sees an incomplete block.
    """

    def __init__(self, frames: int, channels: int) -> None:
        assert frames >= 1
        self._store = np.zeros((frames, channels), np.float32)
        self._written = 0
        self._read = 0

    @property
    def capacity(self) -> int:
        """Frames that fit."""
        return len(self._store)

    @property
    def waiting(self) -> int:
        """Frames that have been written and not yet read."""
        return self._written - self._read

    def push(self, block: Block) -> bool:
        """Append the whole block (frames, channels), or return False if it does not fit."""
        count = len(block)
        if count > self.capacity - self.waiting:
            return False
        start = self._written % self.capacity
        first = min(count, self.capacity - start)
        self._store[start : start + first] = block[:first]
        if first < count:
            self._store[: count - first] = block[first:]
        self._written += count
        return True

    def pull(self, out: Block) -> int:
        """Fill the beginning of `out` (frames, channels) from the queue; return the number of frames."""
        count = min(len(out), self.waiting)
        start = self._read % self.capacity
        first = min(count, self.capacity - start)
        out[:first] = self._store[start : start + first]
        if first < count:
            out[first:count] = self._store[: count - first]
        self._read += count
        return count


class Player:
    """Plays an audio file into the session.

    Parameters
    ----------
    path : path-like
    sample_rate : int
        Of the session, in Hz; a file of another rate is resampled.
    loop : bool
        Repeat the file without end and without gaps.

    Attributes
    ----------
    channels : int
        Of the file.
    read_all : bool
        Whether the file has been read to its end, or reading has stopped.
    starved : int
        Blocks that were not read in time, and played as silence.
    failure : str or None
        The reason why reading stopped, if it did.

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    """

    def __init__(self, path: PathLike, sample_rate: int, *, loop: bool = False) -> None:
        self._sound = open_sound(path)
        self._sample_rate, self._loop = sample_rate, loop
        self.channels = int(self._sound.channels)
        self.starved = 0
        self.failure: str | None = None
        self._ring = Ring(round(_PLAYER_AHEAD_SECONDS * sample_rate), self.channels)
        self.read_all = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="reverb-player", daemon=True)
        self._thread.start()
        # The first callback is to find the ring half full.
        deadline = time.monotonic() + _MAX_START_SECONDS
        half = self._ring.capacity // 2
        while self.waiting < half and not self.read_all and time.monotonic() < deadline:
            time.sleep(0.002)

    @property
    def waiting(self) -> int:
        """Frames that have been read and not yet played."""
        return self._ring.waiting

    @property
    def finished(self) -> bool:
        """Whether every frame has been played."""
        return self.read_all and not self.waiting

    def pull(self, out: Block) -> None:
        """Fill `out` (frames, channels), from the end of the file on with silence; called by the audio thread."""
        ended = self.read_all  # before the ring is read: all frames are in it then
        count = self._ring.pull(out)
        if count < len(out):
            out[count:] = 0.0
            self.starved += not ended

    def close(self) -> None:
        """Stop reading and close the file."""
        self._stop.set()
        self._thread.join()

    def _fill(self) -> None:
        try:
            with contextlib.closing(self._sound):
                for piece in self._resampled():
                    while not self._ring.push(piece):
                        if self._stop.wait(_POLL_SECONDS):
                            return
        except (OSError, soundfile.SoundFileError, InvalidAudioError) as error:
            self.failure = f"{self._sound.name}: playing stopped: {' '.join(str(error).split())}"
        finally:
            self.read_all = True

    def _resampled(self) -> Iterator[Block]:
        if self._sound.samplerate == self._sample_rate:
            yield from self._pieces()
            return
        import soxr

        stream = soxr.ResampleStream(
            self._sound.samplerate, self._sample_rate, self.channels, dtype="float32", quality="VHQ"
        )
        for piece in self._pieces():
            yield stream.resample_chunk(piece).reshape(-1, self.channels)
        yield stream.resample_chunk(np.empty((0, self.channels), np.float32), last=True)

    def _pieces(self) -> Iterator[Block]:
        frames = max(1, round(_PLAYER_PIECE_SECONDS * self._sound.samplerate))
        while not self._stop.is_set():
            piece: Block = self._sound.read(frames, "float32", always_2d=True)
            if not np.isfinite(piece).all():
                raise InvalidAudioError("the file contains NaN or infinity; repair it first")
            if len(piece):
                yield piece
            if len(piece) < frames:
                if not self._loop:
                    return
                self._sound.seek(0)


class Recorder:
    """Records to a file of 32-bit floats, which is valid at any time and complete but for the last tenth of a second.

    Parameters
    ----------
    path : path-like
        Ending in .wav, .w64, .rf64, .aiff, .caf or .au. A WAV or AIFF file that reaches 4 GiB is continued in
        ``name-2.wav``, and so on.
    sample_rate : int
        In Hz.
    channels : int
    overwrite : bool
        Replace an existing file.
    seconds : float
        Longest pause of the disk that loses no frames.

    Attributes
    ----------
    paths : list of Path
        The files written so far.
    frames : int
        Frames on disk.
    lost : int
        Frames that were dropped because the ring was full.
    failure : str or None
        The reason why writing stopped, if it did.

    Raises
    ------
    AudioFileError
        If the file exists and must not be replaced, or cannot be written.
    ParameterError
        If files of that format are invalid until they are closed.
    """

    def __init__(
        self,
        path: PathLike,
        sample_rate: int,
        channels: int,
        *,
        overwrite: bool = False,
        seconds: float = _RECORDER_AHEAD_SECONDS,
    ) -> None:
        self._format = output_format(path)
        if self._format not in _CRASH_PROOF:
            raise ParameterError(
                f"{path}: a {self._format} file is not valid until it is closed; "
                "record to .wav, .w64, .rf64, .aiff, .caf or .au and convert it later"
            )
        self._first, self._overwrite = Path(path), overwrite
        self._sample_rate, self._channels = sample_rate, channels
        self._max_frames = _MAX_BYTES // (_SAMPLE_BYTES * channels) if self._format in _LIMITED else None
        self.paths: list[Path] = []
        self.frames = self.lost = 0
        self.failure: str | None = None
        self._ring = Ring(round(seconds * sample_rate), channels)
        self._piece = np.empty((sample_rate, channels), np.float32)
        self._file, self._frames_in_file = self._open(), 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="reverb-recorder", daemon=True)
        self._thread.start()

    def push(self, block: Block) -> None:
        """Record a block (frames, channels); called by the audio thread, never waits."""
        if not self._ring.push(block):
            self.lost += len(block)

    def close(self) -> None:
        """Write the frames that are still in the ring, and close the file."""
        self._stop.set()
        self._thread.join()

    def _open(self) -> soundfile.SoundFile:
        part = len(self.paths) + 1
        path = self._first if part == 1 else self._first.with_stem(f"{self._first.stem}-{part}")
        check_output(path, self._overwrite)
        try:
            file = soundfile.SoundFile(
                path, "w", self._sample_rate, self._channels, _SUBTYPE, format=self._format
            )
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"{path}: cannot be written with {self._channels} channels at {self._sample_rate} Hz "
                f"({str(error.error_string).rstrip('. ')})"
            ) from error
        keep_header_right(file)
        self.paths.append(path)
        return file

    def _write(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop.wait(_RECORDER_INTERVAL_SECONDS)
            try:
                while self._ring.waiting:
                    self._write_piece()
            except (OSError, soundfile.SoundFileError, AudioFileError) as error:
                self.failure = f"{self.paths[-1]}: recording stopped: {' '.join(str(error).split())}"
                break
        try:
            self._file.close()
        except (OSError, soundfile.SoundFileError) as error:
            self.failure = self.failure or f"{self.paths[-1]}: {error}"

    def _write_piece(self) -> None:
        free = len(self._piece)
        if self._max_frames is not None:
            free = min(free, self._max_frames - self._frames_in_file)
        if free == 0:
            self._file.close()
            self._file, self._frames_in_file = self._open(), 0
            return
        count = self._ring.pull(self._piece[:free])
        self._file.write(self._piece[:count])
        self._frames_in_file += count
        self.frames += count
