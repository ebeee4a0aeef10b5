"""A room measured through the sound card: a JACK server is the card, a convolving client is the room."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from reverb.errors import DeviceError, InvalidAudioError
from reverb.live.play_record import card_setup, measure_latency, play_and_record
from reverb.live.settings import LiveSettings
from reverb.responses.measure.sweep import Sweep, signal
from reverb.responses.measure.sweep_deconvolution import deconvolve
from tests.live.fakes import CARD, FakeCard, FakeStream, then
from tests.live.jackd import RATE, JackServer

Array = npt.NDArray[np.float64]
TAPS = 6000


class Room:
    """A JACK client that acts as a loudspeaker, a room, two microphones and their noise."""

    def __init__(self, responses: Array, noise: float) -> None:
        import jack

        self.client = jack.Client("room", no_start_server=True)
        self._in = self.client.inports.register("in")
        self._out = [self.client.outports.register(f"out_{n}") for n in range(responses.shape[1])]
        self._size = 1 << (TAPS + self.client.blocksize).bit_length()
        self._spectra = np.fft.rfft(responses, self._size, axis=0)
        self._tail = np.zeros((self._size, responses.shape[1]))
        self._rng, self._noise = np.random.default_rng(1), noise
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, frames: int) -> None:
        x = self._in.get_array().astype(np.float64)
        self._tail += np.fft.irfft(np.fft.rfft(x, self._size)[:, np.newaxis] * self._spectra, axis=0)
        for channel, port in enumerate(self._out):
            port.get_array()[:] = self._tail[:frames, channel] + self._noise * self._rng.standard_normal(
                frames
            )
        self._tail = np.concatenate([self._tail[frames:], np.zeros((frames, self._tail.shape[1]))])

    def enter(self) -> None:
        """Put the room between the newest PortAudio stream's first output and its inputs."""
        theirs = {way: self.client.get_ports(rf"PortAudio.*:{way}_", is_audio=True) for way in ("in", "out")}
        for port in (*theirs["in"], *theirs["out"]):
            for other in self.client.get_all_connections(port):
                self.client.disconnect(*((other, port) if port in theirs["in"] else (port, other)))
        self.client.connect(theirs["out"][0], self._in)
        for port, other in zip(self._out, theirs["in"], strict=False):
            self.client.connect(port, other)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


def responses() -> Array:
    n = np.arange(TAPS)[:, np.newaxis]
    h = 0.05 * np.random.default_rng(0).standard_normal((TAPS, 2)) * 10 ** (-3 * n / TAPS)
    h[0] = 0.5
    return np.asarray(h)


@pytest.fixture
def room(jackd: JackServer) -> Iterator[Room]:  # noqa: ARG001  # the server must be there
    from reverb.live.cards import rescan

    rescan()
    room = Room(responses(), noise=1e-4)
    yield room
    room.close()


def in_band(x: Array) -> Array:
    spectrum = np.fft.rfft(x, 1 << 17, axis=0)
    f = np.fft.rfftfreq(1 << 17, 1 / RATE)
    edge = np.interp(np.log2(np.maximum(f, 1)), np.log2([40, 80, 14_000, 17_000]), [0, 1, 1, 0])
    return np.asarray(np.fft.irfft(spectrum * edge[:, np.newaxis], axis=0))


@pytest.mark.sound_server
def test_a_room_is_measured_through_the_card(room: Room) -> None:
    setup = card_setup(LiveSettings(), 1)
    sweep = Sweep(sample_rate=setup.stream.sample_rate, seconds=2.0, pause=0.5, low=30.0)
    taken = play_and_record(signal(sweep), setup, ready=room.enter)
    assert taken.samples.shape[1] == 2
    measured = deconvolve(taken.samples, taken.sample_rate, sweep)
    found = measured.response
    expected = np.zeros(found.samples.shape)
    expected[found.latency : found.latency + TAPS] = responses()
    a, b = in_band(np.asarray(found.samples, np.float64)), in_band(expected)
    null = 20 * np.log10(np.abs(a - b).max() / np.abs(b).max())
    assert null <= -60, f"null {null:.1f} dB"
    assert measured.drift is None


@pytest.mark.sound_server
def test_the_command_records_and_deconvolves_at_once(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reverb.cli.app import cli
    from reverb.live.stream import CardStream

    class Entered(CardStream):
        def start(self) -> None:
            room.enter()
            super().start()

    monkeypatch.setattr("reverb.live.play_record.CardStream", Entered)
    monkeypatch.setattr(
        play_and_record, "__kwdefaults__", {**(play_and_record.__kwdefaults__ or {}), "open_stream": Entered}
    )
    monkeypatch.chdir(tmp_path)
    quick = ["--seconds", "1", "--pause", "0.4", "--block-size", "128"]
    result = CliRunner().invoke(cli, ["ir", "record", "take.wav", "--response", "room.wav", "--json", *quick])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["layout"] == "stereo"
    again = CliRunner().invoke(cli, ["ir", "deconvolve", "take.wav", "again.wav"])
    assert again.exit_code == 0, again.output


def test_what_is_played_comes_back_frame_for_frame() -> None:
    streams: list[Any] = []

    class Mirror(FakeStream):
        """Hears in each block what it played in the one before."""

        def __init__(self, settings: Any, callback: Any) -> None:
            self.before = np.zeros((64, settings.inputs), np.float32)

            def mirrored(indata: Any, outdata: Any, frames: int, status: Any) -> None:
                indata[:] = self.before
                callback(indata, outdata, frames, status)
                self.before[:] = outdata[:, : indata.shape[1]]

            super().__init__(settings, mirrored, iter(lambda: 64, 0))
            streams.append(self)

    from reverb.live.settings import Setup, StreamSettings

    stream = StreamSettings(input=CARD, output=CARD, sample_rate=RATE, block_size=64, inputs=2, outputs=2)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 2)).astype(np.float32)
    taken = play_and_record(sound, Setup(stream, (1, 0), (1, 0)), open_stream=Mirror)
    assert not taken.samples[:64].any()
    np.testing.assert_array_equal(taken.samples[64:], sound[:-64])
    assert streams[0].closed
    with pytest.raises(InvalidAudioError, match=r"expected \(frames, 2\)"):
        play_and_record(sound[:, :1], Setup(stream, (0,), (0, 1)), open_stream=Mirror)


def test_fewer_outputs_than_sources_are_refused() -> None:
    with pytest.raises(DeviceError, match="2 sources need 2 outputs, but 1 are chosen"):
        card_setup(LiveSettings(output_channels=(1,)), 2, decide_setup=lambda _settings: None)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("delay", [256, 257, 1033, 9000])
def test_a_round_trip_is_found_to_the_frame(delay: int) -> None:
    fake = FakeCard(then(256))
    line = np.zeros(delay, np.float32)  # a cable never costs less than a block

    def cable(settings: Any, callback: Any) -> Any:
        def looped(indata: Any, outdata: Any, frames: int, status: Any) -> None:
            nonlocal line
            indata[:, 0] = line[:frames]
            callback(indata, outdata, frames, status)
            line = np.concatenate([line[frames:], outdata[:, 0]])

        return fake.open(settings, looped)

    report = measure_latency(LiveSettings(), open_stream=cable, decide_setup=fake.decide)
    assert (report.frames, report.spread) == (delay, 0)
    assert report.milliseconds == pytest.approx(delay / 48, abs=0.001)
    assert report.stated == pytest.approx(0.005)


def test_an_open_loop_is_said_rather_than_measured() -> None:
    fake = FakeCard(then(1024))
    with pytest.raises(DeviceError, match="did not come back"):
        measure_latency(open_stream=fake.open, decide_setup=fake.decide)
