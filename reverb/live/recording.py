"""The recordings of a session: what is heard and, if wanted, what came in."""

import threading
import time
from pathlib import Path

from reverb.audiofiles.files import PathLike
from reverb.live.processor import Strip
from reverb.live.recorder import Recorder
from reverb.live.wires import Wires


class Recordings:
    """Starts and stops recorders, and hands them from strip to strip.

    Parameters
    ----------
    wires : Wires
    sample_rate : int
        In Hz.

    Attributes
    ----------
    paths : list of Path
        Everything that has been written.
    """

    def __init__(self, wires: Wires, sample_rate: int) -> None:
        self._wires, self._sample_rate = wires, sample_rate
        self._lock = threading.Lock()
        self._strip: Strip | None = None
        self._wet: Recorder | None = None
        self._dry: Recorder | None = None
        self._frames, self._lost = 0, 0
        self.paths: list[Path] = []

    @property
    def current(self) -> Path | None:
        """The file that is being recorded, None if none is."""
        return self._wet.paths[-1] if self._wet else None

    @property
    def frames(self) -> int:
        """Frames on disk."""
        return self._frames + (self._wet.frames if self._wet else 0)

    @property
    def lost(self) -> int:
        """Frames that the disk was too slow for."""
        return self._lost + sum(recorder.lost for recorder in (self._wet, self._dry) if recorder)

    @property
    def failure(self) -> str | None:
        """Why writing stopped, if it did."""
        return next((r.failure for r in (self._wet, self._dry) if r is not None and r.failure), None)

    def attach(self, strip: Strip) -> None:
        """Record from this strip from now on."""
        with self._lock:
            self._strip = strip
            self._connect()

    def start(self, path: PathLike, dry: PathLike | None = None, *, overwrite: bool = False) -> None:
        """Record what is heard, and what comes in too if `dry` is a path."""
        self.stop()
        with self._lock:
            wet = Recorder(path, self._sample_rate, self._wires.channels, overwrite=overwrite)
            if dry is not None:
                try:
                    self._dry = Recorder(dry, self._sample_rate, self._wires.convolved, overwrite=overwrite)
                except BaseException:
                    wet.close()
                    raise
            self._wet = wet
            self._connect()

    def stop(self) -> list[Path]:
        """Finish the files; return their paths."""
        with self._lock:
            recorders = [recorder for recorder in (self._wet, self._dry) if recorder is not None]
            self._lost = self.lost
            wet, self._wet, self._dry = self._wet, None, None
            self._connect()
            for recorder in recorders:
                recorder.close()
            if wet is not None:
                self._frames += wet.frames
            paths = [path for recorder in recorders for path in recorder.paths]
            self.paths += paths
            return paths

    def _connect(self) -> None:
        if self._strip is not None:
            self._strip.recorder, self._strip.dry_recorder = self._wet, self._dry


def dated_file() -> Path:
    """Return a name for a recording that was not given one: after the date and time, in the current folder."""
    return Path(time.strftime("reverb-%Y%m%d-%H%M%S.wav"))
