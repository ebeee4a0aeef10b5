"""The audio side of a session: stream, processor and recordings, and the change of the effect while it plays."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from reverb.effects.effect import HasResponse
from reverb.engine.realtime.swap import Mode
from reverb.live.files import Player
from reverb.live.levels import Levels
from reverb.live.meters import Meters, Stats
from reverb.live.prepare import Prepared, prepare
from reverb.live.processor import LiveProcessor, map_channels
from reverb.live.recordings import Recordings
from reverb.live.settings import LiveSettings, Setup
from reverb.live.stream import OpenStream, StreamRunner
from reverb.live.watchdog import Watchdog


class LiveEngine:
    """Plays an effect through the card, from its construction to `close`. For all threads except the audio thread.

    Parameters
    ----------
    effect : Effect or ImpulseResponse
    settings : LiveSettings
    setup : Setup
    gain_db : float
    open_stream : callable
        Opens the card.
    tell : callable
        Takes messages for the user.

    Attributes
    ----------
    effect : Effect or ImpulseResponse
        The effect that the audio thread plays.
    levels : Levels
        Its levels, and the effect as prepared for the session.
    processor : LiveProcessor
    recordings : Recordings
    watchdog : Watchdog

    Raises
    ------
    ReverbError
        If the effect does not suit the channels, or a file or the card cannot be opened.

    Notes
    -----
    Building a response or a processor takes up to seconds. One thread at a time builds, and it holds no lock meanwhile:
    the only lock, of `_references`, is held just while references change. So a level never waits for a build.
    """

    def __init__(
        self,
        effect: HasResponse,
        settings: LiveSettings,
        setup: Setup,
        *,
        gain_db: float,
        open_stream: OpenStream,
        tell: Callable[[str], None],
    ) -> None:
        self._limiter, self._sample_rate = settings.limiter, setup.stream.sample_rate
        self._channels = map_channels(setup, effect)
        self._references, self._building = threading.Condition(), False
        self._stack = contextlib.ExitStack()
        self._player: Player | None = None
        self.processor: LiveProcessor
        with contextlib.ExitStack() as opened:
            if settings.input_file is not None:
                self._player = Player(settings.input_file, self._sample_rate, loop=settings.loop)
                opened.callback(self._player.close)
            self.effect, self.levels = effect, Levels.of(self._prepare(effect), gain_db)
            self.recordings = Recordings(self._sample_rate, self._channels.channels, self._channels.convolved)
            opened.callback(self.recordings.stop)
            if settings.record is not None:
                self.recordings.start(settings.record, settings.record_dry, overwrite=settings.overwrite)
            self._runner = StreamRunner(setup.stream, open_stream, self._build_processor)
            opened.callback(self._runner.close)
            self.watchdog = Watchdog(
                self._runner,
                self.recordings,
                self._player,
                feedback_guard=settings.feedback_guard,
                tail=lambda: self.levels.prepared.response.frames,
                tell=tell,
            )
            opened.callback(self.watchdog.close)
            self._stack = opened.pop_all()

    def close(self) -> None:
        """Fade out, close the card, and finish the recordings."""
        self._stack.close()

    def set_levels(self, change: Callable[[Levels], Levels]) -> None:
        """Replace the levels by those that `change` returns for them; they move in the next block.

        Raises
        ------
        ParameterError
            As `change` does; the levels stay as they were.
        """
        with self._references:
            self.levels = change(self.levels)
            self.processor.set_levels(self.levels.paths())

    def exchange(
        self,
        change: Callable[[HasResponse], HasResponse],
        carry_over: Callable[[Levels, Prepared], Levels],
        transition: Mode,
    ) -> None:
        """Play another effect. `effect` and `levels` return it as soon as the audio thread has its response.

        Parameters
        ----------
        change : callable
            Returns the new effect for the present one.
        carry_over : callable
            Returns the new levels: `Levels.with_effect` or `Levels.with_response`.
        transition : {'crossfade', 'spillover'}

        Raises
        ------
        InvalidAudioError
            If the effect's channels do not suit the session's.
        """
        with self._turn_to_build():
            effect = change(self.effect)
            prepared, processor = self._prepare(effect), self.processor
            if processor.accepts(prepared):
                processor.swap(prepared, transition)
            else:
                processor = self._make_processor(carry_over(self.levels, prepared), processor.block_size)
                self._runner.replace_processor(processor)
            self._commit(effect, lambda levels: carry_over(levels, prepared), processor)

    @contextlib.contextmanager
    def _turn_to_build(self) -> Iterator[None]:
        """Wait until no other thread builds, and keep others from it until the end of the block."""
        with self._references:
            self._references.wait_for(lambda: not self._building)
            self._building = True
        try:
            yield
        finally:
            with self._references:
                self._building = False
                self._references.notify()

    def _build_processor(self, block_size: int, put_in: Callable[[LiveProcessor], None]) -> None:
        """Build a processor for another block size, and put it into the stream by calling `put_in` with it."""
        with self._turn_to_build():
            processor = self._make_processor(self.levels, block_size)
            put_in(processor)
            self._commit(self.effect, lambda levels: levels, processor)

    def _prepare(self, effect: HasResponse) -> Prepared:
        return prepare(effect, self._sample_rate, self._channels.convolved, self._channels.channels)

    def _make_processor(self, levels: Levels, block_size: int) -> LiveProcessor:
        return LiveProcessor(
            levels.prepared,
            levels.paths(),
            self._channels,
            self._sample_rate,
            block_size,
            limiter=self._limiter,
            player=self._player,
            recordings=self.recordings,
        )

    def _commit(
        self, effect: HasResponse, change: Callable[[Levels], Levels], processor: LiveProcessor
    ) -> None:
        """Store what the audio thread has now, with levels that may have moved since the build began."""
        with self._references:
            self.effect, self.levels, self.processor = effect, change(self.levels), processor
            processor.set_levels(self.levels.paths())

    def clear_alerts(self) -> None:
        """Forget clipped blocks and howls, and let the output return to its level."""
        self.processor.input_meter.clear_clips()
        self.processor.output_meter.clear_clips()
        self.watchdog.feedback.reset()

    def meters(self) -> Meters:
        """Return the current readings of the meters."""
        processor = self.processor
        return Meters(
            input=processor.input_meter.read(),
            output=processor.output_meter.read(),
            load=self._runner.times.load,
        )

    def stats(self) -> Stats:
        """Return the figures since the start."""
        runner, processor = self._runner, self.processor
        return Stats(
            seconds=runner.frames / runner.sample_rate,
            sample_rate=runner.sample_rate,
            block_size=processor.block_size,
            card_latency=runner.latency,
            effect_latency=self.levels.prepared.latency,
            overflows=runner.xruns.overflows,
            underflows=runner.xruns.underflows,
            xruns=runner.xruns.blocks,
            load=runner.times.read(),
            input=processor.input_meter.read(),
            output=processor.output_meter.read(),
            limited=processor.limiter.limited if processor.limiter else 0,
            bad_blocks=processor.bad_blocks,
            howls=self.watchdog.feedback.howls,
            recorded=self.recordings.frames,
            lost=self.recordings.lost,
            starved=self._player.starved if self._player else 0,
        )
