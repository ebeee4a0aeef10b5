"""What a session does on the side, twenty times a second: look for howls and faults, measure levels, and tidy up."""

import threading
from collections.abc import Callable

from reverb.errors import DeviceLostError
from reverb.levels import from_db
from reverb.live import scheduling as interpreter
from reverb.live.feedback import INTERVAL, FeedbackGuard, look
from reverb.live.player import Player
from reverb.live.recording import Recordings
from reverb.live.stream import Running


class Watch:
    """Watches a running stream from a thread of its own.

    Parameters
    ----------
    running : Running
    recordings : Recordings
    player : Player or None
    guard : bool
        Whether to duck howls.
    tail : callable
        Gives how many frames still sound after the input has ended.
    tell : callable
        Takes messages for the user.

    Attributes
    ----------
    ended : threading.Event
        Set when the input file has been played to its end, or something failed.
    failure : Exception or None
    feedback : FeedbackGuard
    """

    def __init__(
        self,
        running: Running,
        recordings: Recordings,
        player: Player | None,
        *,
        guard: bool,
        tail: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._running, self._recordings, self._player = running, recordings, player
        self._guarding, self._tail, self._tell = guard, tail, tell
        self._finished_at: int | None = None
        self._looks = 0
        self._stop = threading.Event()
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self.feedback = FeedbackGuard()
        self._thread = threading.Thread(target=self._run, name="reverb-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self.ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            try:
                self._look()
            except Exception as error:  # nothing may end the watch without a word
                self.failure = error
            if self.failure is not None:
                self._recordings.stop()
                self.ended.set()
                return

    def _look(self) -> None:
        running = self._running
        if running.error is not None:
            self.failure = running.error
            return
        if (gone := running.lost()) is not None:
            self.failure = DeviceLostError(gone)
            return
        if (size := running.follow()) is not None:
            self._tell(f"the card now uses blocks of {size} frames")
        if self._guarding:
            self._listen()
        for failure in (self._recordings.failure, self._player.failure if self._player else None):
            if failure:
                self._tell(failure)
        if (strip := running.strip) is not None:
            strip.input_meter.follow()
            strip.output_meter.follow()
        self._follow_player()
        self._looks += 1
        interpreter.collect_young(self._looks)

    def _listen(self) -> None:
        strip = self._running.strip
        if strip is None:
            return
        message = self.feedback.decide(look(strip.tap.read(), strip.sample_rate))
        strip.duck = from_db(self.feedback.gain_db)
        if message:
            self._tell(message)

    def _follow_player(self) -> None:
        if self._player is None or not self._player.finished:
            return
        if self._finished_at is None:
            self._finished_at = self._running.frames
        elif self._running.frames - self._finished_at > self._tail():
            self.ended.set()
