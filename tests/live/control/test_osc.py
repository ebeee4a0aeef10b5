"""Remote control by OSC, over the loopback device."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from reverb.errors import DeviceError
from reverb.live.control.osc import OscControl
from tests.live.control.fakes import ControlledSession

INF = float("inf")
Send: TypeAlias = Callable[..., None]
Osc: TypeAlias = tuple[ControlledSession, OscControl, Send]


@pytest.fixture
def osc() -> Iterator[Osc]:
    """A session, what listens for it, and what sends to it and waits for a last word to have arrived."""
    udp_client = pytest.importorskip("pythonosc.udp_client")
    session = ControlledSession()
    control = OscControl(session, 0)
    client = udp_client.SimpleUDPClient("127.0.0.1", control.port)

    def send(*messages: tuple[str, object]) -> None:
        for address, value in messages:
            client.send_message(address, value)
        client.send_message("/reverb/response", "last word")
        deadline = time.monotonic() + 5
        while "last word" not in session.asked and time.monotonic() < deadline:
            time.sleep(0.005)
        session.asked.remove("last word")

    yield session, control, send
    client.close()
    control.close()


def test_every_osc_address(osc: Osc) -> None:
    session, control, send = osc
    send(
        ("/reverb/mix", 0.75),
        ("/reverb/wet", -6),
        ("/reverb/dry", -60.0),
        ("/reverb/gain", 3.0),
        ("/reverb/bypass", True),
        ("/reverb/mute", 1),
        ("/reverb/response", "church"),
        ("/reverb/response", 2),
        ("/reverb/next", []),
        ("/reverb/previous", 1.0),
        ("/reverb/previous", 0.0),
        ("/reverb/record", []),
    )
    assert (session.mix, session.wet, session.dry, session.gain, session.bypass, session.mute) == (
        0.75,
        -6,
        -INF,
        3,
        True,
        True,
    )
    assert session.asked == ["church", "c", 1, -1, "record"]
    assert control.refused == 0


def test_osc_that_means_nothing_is_counted_and_said(osc: Osc) -> None:
    session, control, send = osc
    bad = [
        ("/reverb/volume", 1.0),
        ("/other/mix", 1.0),
        ("/reverb/mix", "loud"),
        ("/reverb/mix", []),
        ("/reverb/mix", float("nan")),
        ("/reverb/response", []),
        ("/reverb/next", "x"),
    ]
    send(*bad)
    assert control.refused == len(bad)
    assert len(session.messages) == len(bad)
    assert session.mix == 0.3


def test_osc_rubbish_does_no_harm(osc: Osc) -> None:
    session, control, send = osc
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in (b"", b"\x00", b"/reverb/mix", b"#bundle\x00rubbish", bytes(range(256))):
            sender.sendto(packet, ("127.0.0.1", control.port))
    send(("/reverb/mix", 0.6))
    assert session.mix == pytest.approx(0.6)


def test_osc_before_the_start_is_ignored(osc: Osc) -> None:
    session, control, send = osc
    session.started = False
    control.receive("/reverb/mix", 0.6)
    session.started = True
    send()
    assert session.mix == 0.3


def test_a_port_in_use_is_named(osc: Osc) -> None:
    _, control, _ = osc
    with pytest.raises(DeviceError, match=f"127.0.0.1:{control.port}"):
        OscControl(ControlledSession(), control.port)
