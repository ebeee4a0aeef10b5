"""A JACK server with the dummy driver, and a rig: a client that is the other end of the sound card."""

import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]
RATE = 48_000
_SETTLING_SECONDS = 0.1
"""Until new connections are in use and a session has faded in; earlier samples are not compared."""


class UnavailableError(Exception):
    """No JACK server can run here; the message names the missing part."""


class JackServer:
    """A server with a name of its own, which is in this process's environment while it runs."""

    def __init__(self, period: int = 128, rate: int = RATE) -> None:
        program = shutil.which("jackd")
        if program is None:
            raise UnavailableError(
                "needs jackd: apt-get install -y --no-install-recommends jackd2 libportaudio2"
            )
        self._lock, self.name = _claim_name()
        self._program, self._rate, self._period = program, rate, period
        self._before = {key: os.environ.get(key) for key in self.environment}
        os.environ.update(self.environment)
        try:
            self.start()
        except BaseException:
            self._restore()
            raise

    @property
    def environment(self) -> dict[str, str]:
        return {
            "JACK_DEFAULT_SERVER": self.name,
            "JACK_NO_START_SERVER": "1",
            "JACK_NO_AUDIO_RESERVATION": "1",
        }

    def start(self) -> None:
        """Start, or start again. The server is synchronous: it waits for late clients, so no sound is lost."""
        deadline = time.monotonic() + 5.0
        while not self._comes_up():
            self.stop()
            if time.monotonic() > deadline:  # a name stays taken for two seconds after its server was killed
                raise UnavailableError("jackd is installed but does not start here")
            time.sleep(0.2)

    def _comes_up(self) -> bool:
        may_be_real_time = subprocess.run(["chrt", "-f", "1", "true"], capture_output=True).returncode == 0
        real_time = ["-R", "-P", "70"] if may_be_real_time else ["-r"]
        # The server ends with this process, however that ends: otherwise it would keep its name forever.
        mortal = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        server = ["-n", self.name, "-p", "64", *real_time, "-S", "-t", "2000"]
        driver = ["-d", "dummy", "-r", str(self._rate), "-p", str(self._period)]
        self._process = subprocess.Popen(
            [*mortal, self._program, *server, *driver],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            listing = subprocess.run(["jack_lsp"], capture_output=True)
            if listing.stdout.startswith(b"system:"):
                return True
            if self._process.poll() is not None:
                return False
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """Stop the server only."""
        self._process.terminate()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for left in Path("/dev/shm").glob(f"jack*{self.name}*"):
            with suppress(OSError):
                left.unlink()

    def close(self) -> None:
        """Terminate PortAudio, which would abort the process if its server ended first; then stop the server."""
        with suppress(ImportError, OSError):
            import sounddevice

            while sounddevice._initialized:
                sounddevice._terminate()
        self.stop()
        self._restore()

    def _restore(self) -> None:
        for key, value in self._before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        self._lock.close()


def _claim_name() -> tuple[IO[str], str]:
    """Return the first name that no other run uses, and the lock on it.

    JACK registers at most eight servers, and a killed one stays registered until its name is used again: so the names
    are few and fixed.
    """
    import fcntl

    for number in range(4):
        lock = (Path(tempfile.gettempdir()) / f"reverb-jack-{number}.lock").open("w")
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, f"reverb-test-{number}"
        lock.close()
    raise UnavailableError("four other runs have a JACK server each; try again later")


class Rig:
    """Plays a recording into the stream under test, and records what the stream plays.

    Attributes
    ----------
    xruns : int
        Reported by the server.
    """

    def __init__(self, inputs: int = 2, outputs: int = 2) -> None:
        import jack

        self.client = jack.Client("rig", no_start_server=True)
        self._to = [self.client.outports.register(f"out_{n}") for n in range(inputs)]
        self._from = [self.client.inports.register(f"in_{n}") for n in range(outputs)]
        self._sent: Sound = np.zeros((inputs, 0), np.float32)
        self._heard: Sound = np.zeros((outputs, 0), np.float32)
        self._at, self._running = 0, False
        self._done = threading.Event()
        self.xruns = 0
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(self._count)
        self.client.activate()

    def _count(self, _delay: float) -> None:
        self.xruns += 1

    def _process(self, frames: int) -> None:
        running, at = self._running, self._at
        length = self._sent.shape[1]
        for port in self._to:
            port.get_array()[:] = 0
        if not running:
            return
        count = min(frames, length - at)
        if count <= 0:
            self._done.set()
            return
        for channel, port in enumerate(self._to):
            port.get_array()[:count] = self._sent[channel, at : at + count]
        for channel, port in enumerate(self._from):
            self._heard[channel, at : at + count] = port.get_array()[:count]
        self._at = at + count

    def wire(self, program: str = "PortAudio.*") -> None:
        """Move a program, by default the newest PortAudio stream, from the card's ports to the rig's."""
        for direction, mine in (("in", self._to), ("out", self._from)):
            theirs = self._ports(direction, program)
            for port in theirs:
                for other in self.client.get_all_connections(port):
                    pair = (other, port) if direction == "in" else (port, other)
                    self.client.disconnect(*pair)
            # A mono input hears the rig's first channel; a mono output is heard in it.
            for one, other in zip(mine, theirs, strict=False):
                pair = (one, other) if direction == "in" else (other, one)
                self.client.connect(*pair)
        time.sleep(_SETTLING_SECONDS)

    def loop(self) -> None:
        """Connect the PortAudio stream's outputs to its own inputs, as a cable would."""
        for output, source in zip(self._ports("out"), self._ports("in"), strict=False):
            for other in self.client.get_all_connections(output):
                self.client.disconnect(output, other)
            for other in self.client.get_all_connections(source):
                self.client.disconnect(other, source)
            self.client.connect(output, source)

    def _ports(self, direction: str, program: str = "PortAudio.*") -> list[Any]:
        kind = {"in": "is_input", "out": "is_output"}[direction]
        ports = self.client.get_ports(f"{program}:", is_audio=True, **{kind: True})
        return sorted(ports, key=lambda port: int(re.split(r"\D", port.name)[-1]))

    def play(self, sound: npt.ArrayLike, *, freewheel: bool = False) -> Sound:
        """Play (frames, inputs) and return the (frames, outputs) that were heard meanwhile."""
        given = np.atleast_2d(np.asarray(sound, np.float32).T)
        self._sent = np.ascontiguousarray(given)
        self._heard = np.zeros((len(self._from), given.shape[1]), np.float32)
        self._at = 0
        self._done.clear()
        with self.freewheeling() if freewheel else _nothing():
            self._running = True
            done = self._done.wait(20 + 3 * given.shape[1] / self.client.samplerate)
            self._running = False
        assert done, "the rig's sound was not played to its end"
        return self._heard.T

    @contextmanager
    def freewheeling(self) -> Iterator[None]:
        """Let the server run as fast as it can."""
        self.client.set_freewheel(True)
        time.sleep(_SETTLING_SECONDS)
        try:
            yield
        finally:
            self.client.set_freewheel(False)
            time.sleep(_SETTLING_SECONDS)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


class DistantRig:
    """A rig in another process, where it does not compete for this interpreter's lock."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()

    @property
    def xruns(self) -> int:
        """As of `Rig`."""
        told: int = self._ask("xruns")
        return told

    def wire(self, program: str = "PortAudio.*") -> None:
        """Do as `Rig.wire`."""
        self._ask("wire", program)

    def play(self, sound: npt.ArrayLike) -> Sound:
        """Do as `Rig.play`."""
        heard: Sound = self._ask("play", sound)
        return heard

    def close(self) -> None:
        """End the process."""
        self._ask("close")
        self._pipe.close()
        self._process.join()

    def _ask(self, *request: object) -> Any:
        self._pipe.send(request)
        return self._pipe.recv()


def _serve(pipe: Connection) -> None:
    """Call a rig's methods as requested through the pipe, until it is closed."""
    rig = Rig()
    pipe.send(None)
    with suppress(EOFError):
        while True:
            name, *arguments = pipe.recv()
            asked = getattr(rig, name)
            pipe.send(asked(*arguments) if callable(asked) else asked)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def delay_of(heard: Sound, reference: npt.ArrayLike, at_most: int = 4096) -> int:
    """Return the delay of a sound against a reference in frames, both of shape (frames,)."""
    x, y = np.asarray(reference, np.float64), np.asarray(heard, np.float64)
    size = 1 << (len(x) + len(y)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(y, size) * np.conj(np.fft.rfft(x, size)), size)
    return int(np.argmax(correlation[:at_most]))
