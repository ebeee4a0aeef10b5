"""A session under constant changes, and the largest step between two samples that these may cause."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

import reverb
from reverb.live.control.osc import OscControl
from reverb.live.session import Session

Sound = npt.NDArray[np.float32]
SWAPS_PER_SECOND = 10
MESSAGES_PER_SECOND = 1000
_FADE_SECONDS = 0.02

# Messages come from another program, as they do in practice.
_FLOOD = f"""
import sys, time
from pythonosc.udp_client import SimpleUDPClient
client, start, sent = SimpleUDPClient("127.0.0.1", int(sys.argv[1])), time.monotonic(), 0
while True:
    while sent < {MESSAGES_PER_SECOND} * (time.monotonic() - start):
        client.send_message("/reverb/mix", 0.2 + 0.6 * (sent % 100) / 100)
        sent += 1
    time.sleep(0.005)
"""


class CountingOsc(OscControl):
    """Counts the messages that arrive.

    Attributes
    ----------
    received : int
    """

    received = 0

    def receive(self, address: str, *arguments: Any) -> None:
        self.received += 1
        super().receive(address, *arguments)


@contextmanager
def restless(session: Session, names: Sequence[str]) -> Iterator[CountingOsc]:
    """Choose another response ten times a second, bypass at times, and flood with OSC, until the block ends."""
    stop = threading.Event()

    def fidget() -> None:
        turn = 0
        while not stop.wait(1 / SWAPS_PER_SECOND):
            turn += 1
            session.choose(names[turn % len(names)])
            session.bypass = turn % 4 == 3

    osc = CountingOsc(session, 0)
    flood = subprocess.Popen([sys.executable, "-c", _FLOOD, str(osc.port)])
    thread = threading.Thread(target=fidget, daemon=True)
    thread.start()
    try:
        yield osc
    finally:
        stop.set()
        thread.join()
        flood.kill()
        flood.wait()
        osc.close()


def largest_jump(sound: Sound) -> float:
    """Return the largest step from one sample to the next."""
    return float(np.abs(np.diff(sound, axis=0)).max())


def jump_bound(sound: Sound, heard: Sound, rooms: Sequence[reverb.ImpulseResponse], rate: int) -> float:
    """Return the largest step that a fade may cause: that of the rooms at rest, plus that of the fade itself.

    While one level falls and another rises, the fade adds at most twice the peak in 20 ms.
    """
    steady = max(
        largest_jump(reverb.Reverb(room, mix=mix)(sound, rate)[: len(sound)])
        for room in rooms
        for mix in (0.2, 0.8)
    )
    steady = max(steady, largest_jump(sound))
    return 1.3 * steady + 2 * float(np.abs(heard).max()) / (_FADE_SECONDS * rate)
