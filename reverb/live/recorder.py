"""Recording to disk while sound plays: the audio thread fills a ring, and another thread writes it to a file."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from reverb.arrays import Block
from reverb.audiofiles.files import output_format
from reverb.audiofiles.libsndfile import keep_header_right
from reverb.audiofiles.outputs import PathLike, check_output
from reverb.errors import AudioFileError, ParameterError
from reverb.live.ring import Ring

_AHEAD_SECONDS = 8.0
_INTERVAL_SECONDS = 0.1
_SUBTYPE = "FLOAT"
_SAMPLE_BYTES = 4
# Their headers can be rewritten in place at any time, so the file is valid whenever the process dies.
_CRASH_PROOF = {"WAV", "AIFF", "W64", "RF64", "CAF", "AU"}
_MAX_BYTES = (1 << 32) - (1 << 20)  # a WAV or AIFF header counts bytes in 32 bits
_LIMITED = {"WAV", "AIFF"}


class Recorder:
    """A recording in 32-bit float; the file is valid at any time, but for its last tenth of a second.

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
        Longest pause of the disk without loss of frames.

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
        If a file of that format is invalid until it is closed.
    """

    def __init__(
        self,
        path: PathLike,
        sample_rate: int,
        channels: int,
        *,
        overwrite: bool = False,
        seconds: float = _AHEAD_SECONDS,
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
        """Write the frames that wait, and close the file."""
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
            stopping = self._stop.wait(_INTERVAL_SECONDS)
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


@dataclass(frozen=True)
class Recording:
    """The recorders of one recording: of the output, and of the input where it is recorded, too."""

    wet: Recorder
    dry: Recorder | None = None

    @property
    def recorders(self) -> list[Recorder]:
        """Both recorders, or the only one."""
        return [self.wet] if self.dry is None else [self.wet, self.dry]

    @property
    def paths(self) -> list[Path]:
        """The files written so far."""
        return [path for recorder in self.recorders for path in recorder.paths]


class Recordings:
    """Starts and stops the recordings of a session.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    outputs, inputs : int
        Channels of the output and of the input.

    Attributes
    ----------
    current : Recording or None
        The recording in progress. One reference, replaced as a whole: other threads, the audio thread among them, read
        it once and then use that value.
    paths : list of Path
        All finished files.
    """

    def __init__(self, sample_rate: int, outputs: int, inputs: int) -> None:
        self._sample_rate, self._outputs, self._inputs = sample_rate, outputs, inputs
        self._lock = threading.Lock()  # between those who start and stop
        self.current: Recording | None = None
        self._finished: tuple[Recording, ...] = ()

    @property
    def path(self) -> Path | None:
        """The file that is being recorded, None if there is none."""
        current = self.current
        return None if current is None else current.wet.paths[-1]

    @property
    def paths(self) -> list[Path]:
        """All finished files."""
        return [path for recording in self._finished for path in recording.paths]

    @property
    def frames(self) -> int:
        """Recorded frames on disk."""
        return sum(recording.wet.frames for recording in self._all())

    @property
    def lost(self) -> int:
        """Frames that were dropped because the disk was too slow."""
        return sum(recorder.lost for recording in self._all() for recorder in recording.recorders)

    @property
    def failures(self) -> list[str]:
        """The reasons why writing stopped, where it did."""
        found = [recorder.failure for recording in self._all() for recorder in recording.recorders]
        return [failure for failure in found if failure is not None]

    def _all(self) -> list[Recording]:
        current, finished = self.current, self._finished  # in this order: see `_finish`
        return [*finished] if current is None or current in finished else [*finished, current]

    def start(self, path: PathLike, dry: PathLike | None = None, *, overwrite: bool = False) -> None:
        """Finish the recording in progress and start one of the output, and of the input if `dry` is a path."""
        with self._lock:
            self._finish()
            wet = Recorder(path, self._sample_rate, self._outputs, overwrite=overwrite)
            try:
                other = None
                if dry is not None:
                    other = Recorder(dry, self._sample_rate, self._inputs, overwrite=overwrite)
            except BaseException:
                wet.close()
                raise
            self.current = Recording(wet, other)

    def stop(self) -> list[Path]:
        """Finish the recording in progress; return its files."""
        with self._lock:
            return self._finish()

    def _finish(self) -> list[Path]:
        if (current := self.current) is None:
            return []
        self._finished = (*self._finished, current)  # before `current` is cleared: a reader misses no frame
        self.current = None
        for recorder in current.recorders:
            recorder.close()
        return current.paths


def dated_file() -> Path:
    """Return a file name made of date and time, in the current folder."""
    return Path(time.strftime("reverb-%Y%m%d-%H%M%S.wav"))
