"""A recording in place of the sound card's input, read ahead by a thread and resampled to the session's rate."""

import contextlib
import threading
import time
from collections.abc import Iterator

import numpy as np
import soundfile

from reverb.arrays import Block
from reverb.audiofiles.files import PathLike, open_sound
from reverb.errors import InvalidAudioError
from reverb.live.ring import Ring

_AHEAD_SECONDS = 4.0
_PIECE_SECONDS = 0.25
_POLL_SECONDS = 0.02
_MAX_START_SECONDS = 2.0


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
        self._ring = Ring(round(_AHEAD_SECONDS * sample_rate), self.channels)
        self._read_all = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="reverb-player", daemon=True)
        self._thread.start()
        # The first callback should find the ring half full.
        deadline = time.monotonic() + _MAX_START_SECONDS
        while (
            self._ring.waiting < self._ring.capacity // 2
            and not self._read_all
            and time.monotonic() < deadline
        ):
            time.sleep(0.002)

    @property
    def finished(self) -> bool:
        """Whether every frame has been played."""
        return self._read_all and not self._ring.waiting

    def pull(self, out: Block) -> None:
        """Fill `out` (frames, channels), the rest with silence; called by the audio thread."""
        ended = self._read_all
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
            self._read_all = True

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
        frames = max(1, round(_PIECE_SECONDS * self._sound.samplerate))
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
