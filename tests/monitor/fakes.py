"""A session to show: it plays nothing and remembers its calls."""

import time

import numpy as np

import reverb
from reverb.live.meters import Level, Load, Meters, Stats
from tests.live.control.fakes import ControlledSession

INPUT = Level((-12.0, -14.0), (-10.0, -11.0), (-20.0, -21.0), -8.0, 0)
OUTPUT = Level((-3.0, -5.0), (-0.05, -2.0), (-9.0, -9.5), 0.0, 2)


class FakeSession(ControlledSession):
    """A session that ends after some calls of `wait`."""

    def __init__(self, turns: int = 10**9) -> None:
        super().__init__()
        self.wet = -6.0
        self.recording: object = None
        self.ended = False
        self.response = reverb.ImpulseResponse(np.exp(-np.arange(4800) / 500), 48_000, "room")
        self._turns = turns

    def wait(self, seconds: float | None = None) -> bool:
        time.sleep(min(seconds or 0.0, 0.01))
        self._turns -= 1
        return self._turns <= 0

    def toggle_recording(self) -> None:
        self.recording = None if self.recording else "take.wav"

    def clear_alerts(self) -> None:
        self.asked.append("clear_alerts")

    def meters(self) -> Meters:
        return Meters(input=INPUT, output=OUTPUT, load=0.05)

    def stats(self) -> Stats:
        return Stats(
            seconds=65.0,
            sample_rate=48_000,
            block_size=128,
            card_latency=0.0,
            effect_latency=0,
            overflows=2,
            underflows=1,
            xruns=3,
            load=Load(1000, 0.05, 0.05, 0.08, 0.1, 0.2, 0),
            input=INPUT,
            output=OUTPUT,
            limited=7,
            bad_blocks=0,
            howls=1,
            recorded=48_000,
            lost=5,
            starved=0,
        )
