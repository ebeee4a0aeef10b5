"""The recordings of a session: of its output, and of its input where that is recorded, too."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from reverb.audiofiles.outputs import PathLike
from reverb.checks import file_path, flag
from reverb.live.files import Recorder


@dataclass(frozen=True)
class Recording:
    """A recording: the recorder of the output, and that of the input if it is recorded, too."""

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
        The recording in progress. It is replaced as a whole: other threads, including the audio thread, read the
        attribute once and then use that value.
    paths : list of Path
        All finished files.
    """

    def __init__(self, sample_rate: int, outputs: int, inputs: int) -> None:
        self._sample_rate, self._outputs, self._inputs = sample_rate, outputs, inputs
        self._lock = threading.Lock()  # between threads that start and stop recordings
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
        """The reasons why recordings stopped by themselves."""
        found = [recorder.failure for recording in self._all() for recorder in recording.recorders]
        return [failure for failure in found if failure is not None]

    def _all(self) -> list[Recording]:
        current, finished = self.current, self._finished  # in this order: see `_finish`
        return [*finished] if current is None or current in finished else [*finished, current]

    def start(self, path: PathLike, dry: PathLike | None = None, *, overwrite: bool = False) -> None:
        """Finish the recording in progress, and record the output, and the input to `dry` if that is a path."""
        file_path("path", path)
        if dry is not None:
            file_path("dry", dry)
        flag("overwrite", overwrite)
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
        self._finished = (*self._finished, current)  # before `current` is cleared: readers miss no frame
        self.current = None
        for recorder in current.recorders:
            recorder.close()
        return current.paths


def dated_file() -> Path:
    """Return the path of a file in the current folder, named after date and time."""
    return Path(time.strftime("reverb-%Y%m%d-%H%M%S.wav"))
