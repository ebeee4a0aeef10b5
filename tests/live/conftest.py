"""Fixtures of the live tests: a real JACK server, or none and a reason."""

from collections.abc import Iterator

import pytest

from tests.live.jackd import JackServer, Rig, UnavailableError


@pytest.fixture(scope="session")
def jackd() -> Iterator[JackServer]:
    """A JACK server, dummy driver, 48 kHz, 128 frames, for the whole run."""
    try:
        import jack  # noqa: F401
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"no JACK or PortAudio library: {error}")
    try:
        server = JackServer()
    except UnavailableError as missing:
        pytest.skip(str(missing))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def rig(jackd: JackServer) -> Iterator[Rig]:  # noqa: ARG001  # the server must be there
    """The other end of the sound card."""
    from reverb.live.cards import rescan

    rescan()
    rig = Rig()
    yield rig
    rig.close()
