"""What a session is made of once it has begun, and what these parts tell together."""

from dataclasses import dataclass

from reverb.live.desk import Desk
from reverb.live.player import Player
from reverb.live.recording import Recordings
from reverb.live.report import Meters, Stats
from reverb.live.requests import Requests
from reverb.live.stream import Running
from reverb.live.watchdog import Watch


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a session.

    Attributes
    ----------
    desk : Desk
        Effect, faders and strip.
    running : Running
        The stream and its callback.
    recordings : Recordings
    player : Player or None
    watch : Watch
    requests : Requests
    """

    desk: Desk
    running: Running
    recordings: Recordings
    player: Player | None
    watch: Watch
    requests: Requests

    def meters(self) -> Meters:
        """Return what the meters show now."""
        strip = self.desk.strip
        return Meters(
            input=strip.input_meter.read(), output=strip.output_meter.read(), load=self.running.timing.load
        )

    def stats(self) -> Stats:
        """Return what has happened since the start."""
        strip, running = self.desk.strip, self.running
        return Stats(
            seconds=running.frames / running.sample_rate,
            sample_rate=running.sample_rate,
            block_size=strip.block_size,
            card_latency=running.latency,
            effect_latency=self.desk.prepared.latency,
            overflows=running.xruns.overflows,
            underflows=running.xruns.underflows,
            xruns=running.xruns.blocks,
            load=running.timing.read(),
            input=strip.input_meter.read(),
            output=strip.output_meter.read(),
            limited=strip.limiter.limited if strip.limiter else 0,
            bad_blocks=strip.bad_blocks,
            howls=self.watch.feedback.howls,
            recorded=self.recordings.frames,
            lost=self.recordings.lost,
            starved=self.player.starved if self.player else 0,
        )
