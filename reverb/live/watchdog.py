"""The watchdog of a session: a thread that checks for howls and faults and updates the meters, 20 times a second."""

import threading
from collections.abc import Callable

from reverb.errors import DeviceLostError
from reverb.levels import from_db
from reverb.live import scheduling
from reverb.live.feedback import INTERVAL_SECONDS, FeedbackGuard, find_tone
from reverb.live.files import Player
from reverb.live.recordings import Recordings
from reverb.live.stream import StreamRunner


class Watchdog:
    """Watches a running stream.

    Parameters
    ----------
    runner : StreamRunner
    recordings : Recordings
    player : Player or None
    feedback_guard : bool
        Whether to turn the output down at a howl.
    tail : callable
        Returns the number of frames that sound after the input has ended.
    tell : callable
        Takes messages for the user.

    Attributes
    ----------
    ended : threading.Event
        Set when the input file has been played to its end, or something has failed.
    failure : Exception or None
    feedback : FeedbackGuard
    """

    def __init__(
        self,
        runner: StreamRunner,
        recordings: Recordings,
        player: Player | None,
        *,
        feedback_guard: bool,
        tail: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._runner, self._recordings, self._player = runner, recordings, player
        self._guarding, self._tail, self._tell = feedback_guard, tail, tell
        self._finished_at: int | None = None
        self._intervals = 0
        self._told: set[str] = set()
        self._stop = threading.Event()
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self.feedback = FeedbackGuard()
        self._thread = threading.Thread(target=self._run, name="reverb-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self.ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                self._check()
            except Exception as error:  # of any kind: a watchdog must not end silently
                self.failure = error
            if self.failure is not None:
                self._recordings.stop()
                self.ended.set()
                return

    def _check(self) -> None:
        runner = self._runner
        if runner.error is not None:
            self.failure = runner.error
            return
        if (reason := runner.loss_reason()) is not None:
            self.failure = DeviceLostError(reason)
            return
        if (size := runner.follow_block_size()) is not None:
            self._tell(f"the card now uses blocks of {size} frames")
        if self._guarding:
            self._guard_against_feedback()
        self._tell_file_failures()
        if (processor := runner.processor) is not None:
            processor.input_meter.update()
            processor.output_meter.update()
        self._end_with_player()
        self._intervals += 1
        scheduling.collect_young(self._intervals)

    def _guard_against_feedback(self) -> None:
        processor = self._runner.processor
        if processor is None:
            return
        message = self.feedback.decide(find_tone(processor.tap.read(), processor.sample_rate))
        processor.duck = from_db(self.feedback.gain_db)
        if message:
            self._tell(message)

    def _tell_file_failures(self) -> None:
        """Tell the user once why reading or writing a file stopped."""
        failures = self._recordings.failures
        if self._player is not None and self._player.failure is not None:
            failures.append(self._player.failure)
        for failure in failures:
            if failure not in self._told:
                self._told.add(failure)
                self._tell(failure)

    def _end_with_player(self) -> None:
        if self._player is None or not self._player.finished:
            return
        if self._finished_at is None:
            self._finished_at = self._runner.frames
        elif self._runner.frames - self._finished_at > self._tail():
            self.ended.set()
