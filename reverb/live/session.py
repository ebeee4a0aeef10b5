"""A session: the sound card through an effect, while it is being changed."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar, get_args

from reverb.effects.effect import HasResponse
from reverb.errors import ParameterError, ReverbError
from reverb.live import interpreter, rooms
from reverb.live.faders import Faders
from reverb.live.player import Player
from reverb.live.portaudio import CardStream
from reverb.live.preparing import Prepared, prepare, width
from reverb.live.recording import Recordings, dated_file
from reverb.live.report import Meters, Stats
from reverb.live.running import OpenStream, Running
from reverb.live.settings import LiveSettings, Setup, decide
from reverb.live.strip import Strip, Wires
from reverb.live.watch import Watch
from reverb.responses.response import ImpulseResponse
from reverb.soundfiles import PathLike

Transition = Literal["crossfade", "spillover"]
TRANSITIONS: tuple[Transition, ...] = get_args(Transition)

_T = TypeVar("_T")


class _Fader(Generic[_T]):
    """A fader of a session: read from its `Faders`, heard as soon as it is set."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, session: "Session | None", _owner: type) -> _T:
        value: _T = getattr(session._faders, self._name) if session is not None else self  # type: ignore[assignment]
        return value

    def __set__(self, session: "Session", value: _T) -> None:
        session._move(self._name, value)


class Session:
    """Live sound through an effect, from ``with`` to the end of its block.

    Every method and property may be used from any thread while it runs.

    Parameters
    ----------
    effect : Effect or ImpulseResponse
        What to play through. Of a `Reverb`, dry and wet stay apart, and its mix can be moved.
    settings : LiveSettings, optional
        How to use the card; single fields may be given as keywords instead (``sample_rate=48_000``).
    gain : float
        In dB.
    transition : {'crossfade', 'spillover'}
        How a new response takes over: as if it had always been there, or with the old one ringing out.
    responses : iterable of ImpulseResponse or str, optional
        What `step` goes through; by default the library.
    open_stream, decide_setup : callable
        Open the card; tests put their own here.

    Attributes
    ----------
    effect : Effect or ImpulseResponse
        What is played through now.
    sample_rate : int
        In Hz, once it runs.
    messages : deque of str
        What the user should be told, oldest first.

    Raises
    ------
    ReverbError
        On entering: MissingExtraError without PortAudio, DeviceError if the card cannot be had. On leaving, if
        the card was lost: DeviceLostError.

    Examples
    --------
    >>> with Session(reverb.Reverb("hall"), block_size=128) as session:  # doctest: +SKIP
    ...     session.mix = 0.5
    ...     session.wait(60)
    ...     print(session.stats())
    """

    mix = _Fader[float | None](
        "Share of the room, 0 to 1, at constant loudness; None while wet and dry are set."
    )
    wet = _Fader[float]("Level of the room in dB; setting it leaves the mix.")
    dry = _Fader[float]("Level of the dry sound in dB; setting it leaves the mix.")
    gain = _Fader[float]("Level of the whole in dB.")
    bypass = _Fader[bool]("Whether the dry sound is heard alone.")
    mute = _Fader[bool]("Whether nothing is heard.")

    def __init__(
        self,
        effect: HasResponse,
        settings: LiveSettings | None = None,
        *,
        gain: float = 0.0,
        transition: Transition = "crossfade",
        responses: Iterable[ImpulseResponse | str] | None = None,
        open_stream: OpenStream = CardStream,
        decide_setup: Callable[[LiveSettings], Setup] = decide,
        **changes: Any,
    ) -> None:
        if transition not in TRANSITIONS:
            raise ParameterError(f"transition {transition!r}; expected one of {', '.join(TRANSITIONS)}")
        self.settings = replace(settings or LiveSettings(), **changes)
        self.effect = effect
        self.transition: Transition = transition
        self.messages: deque[str] = deque(maxlen=100)
        self._rooms = rooms.gather(effect, responses)
        self._gain_db = gain
        self._open_stream, self._decide = open_stream, decide_setup
        self._lock = threading.RLock()
        self._recordings = Recordings()
        self._player: Player | None = None
        self._wanted: str | None = None
        self._started = False
        self._wake = threading.Event()
        self._stack = contextlib.ExitStack()

    # From beginning to end.

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(interpreter.low_latency())
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is None:
            self.check()

    def _begin(self) -> None:
        """Decide, prepare, open: what is opened is closed in reverse order."""
        setup = self._decide(self.settings)
        self.sample_rate = setup.stream.sample_rate
        self._wires = _wires(setup, self.effect, self.sample_rate)
        self._prepared = self._prepare(self.effect)
        self._faders = Faders(self._prepared, self._gain_db)
        if self.settings.input_file is not None:
            self._player = Player(self.settings.input_file, self.sample_rate, loop=self.settings.loop)
            self._stack.callback(self._player.close)
        self._stack.callback(self._recordings.stop)
        if (path := self.settings.record) is not None:
            self.record(path, self.settings.record_dry, overwrite=self.settings.overwrite)
        self._running = Running(setup.stream, self._open_stream, self._make_strip)
        self._stack.callback(self._running.close)
        self._watch = Watch(
            self._running,
            self._recordings,
            self._player,
            guard=self.settings.feedback_guard,
            tail=lambda: self._prepared.response.frames,
            tell=self.tell,
        )
        self._stack.callback(self._watch.close)
        exchange = threading.Thread(target=self._exchange, name="reverb-exchange", daemon=True)
        exchange.start()
        self._stack.callback(self._wake.set)
        interpreter.spare_the_collector()
        self._started = True

    def _make_strip(self, block_size: int) -> Strip:
        with self._lock:
            self._strip = Strip(
                self._prepared,
                self._faders.levels(),
                self._wires,
                self.sample_rate,
                block_size,
                limiter=self.settings.limiter,
                player=self._player,
            )
            self._recordings.attach(self._strip)
            return self._strip

    def close(self) -> None:
        """Fade out, close the card and finish the recordings; `stats` and `meters` stay."""
        self._stack.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the input file has been played to its end, or for some seconds; return whether it has ended.

        Raises
        ------
        DeviceLostError
            If the card goes away meanwhile.
        Exception
            What the callback raised, if it did.
        """
        ended = self._watch.ended.wait(seconds)
        self.check()
        return ended

    def check(self) -> None:
        """Raise what has gone wrong, if something has."""
        if self._watch.failure is not None:
            raise self._watch.failure

    @property
    def started(self) -> bool:
        """Whether it has ever run."""
        return self._started

    @property
    def ended(self) -> bool:
        """Whether the input file has been played to its end, or something has failed."""
        return self._watch.ended.is_set()

    def tell(self, message: str) -> None:
        """Add a message for the user, unless it is the last one again."""
        if not self.messages or self.messages[-1] != message:
            self.messages.append(message)

    # What is heard.

    def _move(self, fader: str, value: Any) -> None:
        with self._lock:
            setattr(self._faders, fader, value)
            self._strip.set_levels(self._faders.levels())

    def calm(self) -> None:
        """Forget what clipped, and let the output back to where it was before a howl."""
        self._strip.input_meter.calm()
        self._strip.output_meter.calm()
        self._watch.feedback.reset()

    @property
    def responses(self) -> Sequence[str]:
        """The names that `step` goes through."""
        return tuple(self._rooms)

    @property
    def response(self) -> ImpulseResponse:
        """The wet path, in the session's channels and at its rate."""
        return self._prepared.response

    def swap(self, effect: HasResponse) -> None:
        """Play through another effect from now on, at the levels it asks for; prepared here, not in the audio thread.

        Raises
        ------
        InvalidAudioError
            If its channels do not suit the session's.
        """
        self._install(effect, self._faders.adopt)

    def choose(self, name: str) -> None:
        """Put another response into the effect, by name or file, and leave the faders where they are.

        Raises
        ------
        UnknownNameError, AudioFileError, InvalidAudioError
            If there is no such response, or its channels do not suit the session's.
        ParameterError
            If the effect has no response to exchange.
        """
        self._install(rooms.with_room(self.effect, rooms.take(self._rooms, name)), self._faders.follow)

    def request(self, response: str) -> None:
        """Ask for `choose` in the background; of several requests at once only the last is granted."""
        self._wanted = response
        self._wake.set()

    def step(self, by: int) -> None:
        """Ask for the response that many places further, around the end."""
        names = list(self._rooms)
        own = rooms.room_of(self.effect)
        now = self._wanted or (own.name if own is not None else "")
        self.request(names[(names.index(now) + by) % len(names) if now in names else 0])

    def _prepare(self, effect: HasResponse) -> Prepared:
        return prepare(effect, self.sample_rate, self._wires.convolved, self._wires.channels)

    def _install(self, effect: HasResponse, stand: Callable[[Prepared], None]) -> None:
        prepared = self._prepare(effect)
        with self._lock:
            stand(prepared)
            self.effect, self._prepared = effect, prepared
            if self._strip.takes(prepared):
                self._strip.swap(prepared, self._faders.levels(), self.transition)
            else:
                self._running.renew()

    def _exchange(self) -> None:
        """Grant requests, until the end; runs in a thread of its own."""
        while self._wake.wait() and not self._watch.ended.is_set():
            self._wake.clear()
            wanted = self._wanted
            if wanted is None:
                continue
            try:
                self.choose(wanted)
            except ReverbError as error:
                self.tell(str(error))
            if self._wanted == wanted:
                self._wanted = None

    # Recording.

    @property
    def recording(self) -> Path | None:
        """The file that is being recorded, None if none is."""
        return self._recordings.current

    def record(self, path: PathLike, dry: PathLike | None = None, *, overwrite: bool = False) -> None:
        """Record what is heard, and the input too if a path is given for it.

        Raises
        ------
        AudioFileError, ParameterError
            As `reverb.live.recorder.Recorder`.
        """
        self._recordings.start(path, dry, self.sample_rate, self._wires, overwrite=overwrite)

    def stop_recording(self) -> list[Path]:
        """Finish the recording; return its files."""
        paths = self._recordings.stop()
        if paths:
            self.tell(f"recorded {', '.join(map(str, paths))}")
        return paths

    def toggle_recording(self) -> None:
        """Start a recording named after date and time in the current folder, or stop it."""
        try:
            if self.recording is None:
                self.record(dated_file())
            else:
                self.stop_recording()
        except ReverbError as error:
            self.tell(str(error))

    # What it tells.

    @property
    def recorded(self) -> list[Path]:
        """Every file that has been recorded."""
        return list(self._recordings.paths)

    def meters(self) -> Meters:
        """Return what the meters show now."""
        return Meters(
            input=self._strip.input_meter.read(),
            output=self._strip.output_meter.read(),
            load=self._running.timing.load,
        )

    def stats(self) -> Stats:
        """Return what has happened since the start."""
        strip, running = self._strip, self._running
        return Stats(
            seconds=running.frames / self.sample_rate,
            sample_rate=self.sample_rate,
            block_size=strip.block_size,
            card_latency=running.latency,
            effect_latency=self._prepared.latency,
            overflows=running.xruns.overflows,
            underflows=running.xruns.underflows,
            xruns=running.xruns.blocks,
            load=running.timing.read(),
            input=strip.input_meter.read(),
            output=strip.output_meter.read(),
            limited=strip.limiter.limited if strip.limiter else 0,
            bad_blocks=strip.bad_blocks,
            howls=self._watch.feedback.howls,
            recorded=self._recordings.frames,
            lost=self._recordings.lost,
            starved=self._player.starved if self._player else 0,
        )


def _wires(setup: Setup, effect: HasResponse, sample_rate: int) -> Wires:
    """Return the channels of a session: mono to mono, otherwise to at least two outputs."""
    mono = len(setup.outputs) == 1
    outputs = 1 if mono else max(2, width(effect, sample_rate, len(setup.inputs)))
    if outputs > len(setup.outputs):
        raise ParameterError(
            f"the effect gives {outputs} channels; {len(setup.outputs)} of the output's are in use "
            "(output_channels, --output-channels)"
        )
    return Wires(
        inputs=setup.inputs, outputs=setup.outputs, mono=mono and len(setup.inputs) > 1, channels=outputs
    )
