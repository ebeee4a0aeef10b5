"""Recording to disk while the sound goes on: the audio thread fills a ring, a thread of its own writes it out."""

import threading
from pathlib import Path

import numpy as np
import soundfile

from reverb.audiofiles.files import keep_header_right, output_format
from reverb.audiofiles.outputs import PathLike, check_output
from reverb.errors import AudioFileError, ParameterError
from reverb.live.ring import Block, Ring

_SECONDS = 8.0
_INTERVAL = 0.1
_SUBTYPE = "FLOAT"
_FRAME_BYTES = 4
# Their headers can be rewritten in place at any time, so that the file is valid whenever the process dies.
_CRASH_PROOF = {"WAV", "AIFF", "W64", "RF64", "CAF", "AU"}
_BYTES_LIMIT = (1 << 32) - (1 << 20)  # a WAV or AIFF header counts bytes in 32 bits
_LIMITED = {"WAV", "AIFF"}


class Recorder:
    """A recording in 32-bit float, which is valid on disk up to its last tenth of a second at any time.

    Parameters
    ----------
    path : path-like
        Ending in .wav, .w64, .rf64, .aiff, .caf or .au. Where a WAV or AIFF file reaches 4 GiB, it is
        continued in ``name-2.wav``, and so on.
    sample_rate : int
        In Hz.
    channels : int
    overwrite : bool
    seconds : float
        How long the disk may stall before frames are lost.

    Attributes
    ----------
    paths : list of Path
        The files written so far.
    lost : int
        Frames that were dropped since the ring was full.
    failure : str or None
        Why writing stopped, if it did.

    Raises
    ------
    AudioFileError
        If the file exists and must not be overwritten, or cannot be written.
    ParameterError
        If its format does not survive a crash.
    """

    def __init__(
        self,
        path: PathLike,
        sample_rate: int,
        channels: int,
        *,
        overwrite: bool = False,
        seconds: float = _SECONDS,
    ) -> None:
        self._format = output_format(path)
        if self._format not in _CRASH_PROOF:
            raise ParameterError(
                f"{path}: a {self._format} file is not valid until it is closed; "
                "record to .wav, .w64, .rf64, .aiff, .caf or .au and convert it later"
            )
        self._first, self._overwrite = Path(path), overwrite
        self._sample_rate, self._channels = sample_rate, channels
        self._limit = _BYTES_LIMIT // (_FRAME_BYTES * channels) if self._format in _LIMITED else None
        self.paths: list[Path] = []
        self.lost = 0
        self.failure: str | None = None
        self._ring = Ring(round(seconds * sample_rate), channels)
        self._piece = np.empty((sample_rate, channels), np.float32)
        self._file, self._in_file = self._open(), 0
        self._frames = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="reverb-recorder", daemon=True)
        self._thread.start()

    @property
    def frames(self) -> int:
        """Frames on disk."""
        return self._frames

    def push(self, block: Block) -> None:
        """Take a block (frames, channels); called by the audio thread, never waits."""
        if not self._ring.push(block):
            self.lost += len(block)

    def close(self) -> None:
        """Write out what waits and close the file."""
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
            stopping = self._stop.wait(_INTERVAL)
            try:
                while self._ring.waiting:
                    self._write_piece()
            except (OSError, soundfile.SoundFileError) as error:
                self.failure = f"{self.paths[-1]}: recording stopped: {' '.join(str(error).split())}"
                break
        try:
            self._file.close()
        except (OSError, soundfile.SoundFileError) as error:
            self.failure = self.failure or f"{self.paths[-1]}: {error}"

    def _write_piece(self) -> None:
        room = len(self._piece) if self._limit is None else min(len(self._piece), self._limit - self._in_file)
        if room == 0:
            self._file.close()
            self._file, self._in_file = self._open(), 0
            return
        count = self._ring.pull(self._piece[:room])
        self._file.write(self._piece[:count])
        self._in_file += count
        self._frames += count
