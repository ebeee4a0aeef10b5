"""A session: the sound card through an effect, while it is being changed."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from reverb.audiofiles.files import PathLike
from reverb.effects.effect import HasResponse
from reverb.engine.realtime.swap import MODES, Mode
from reverb.errors import NotRunningError, ParameterError, ReverbError
from reverb.live import rooms
from reverb.live import scheduling as interpreter
from reverb.live.desk import Desk
from reverb.live.levels import Fader
from reverb.live.parts import Parts
from reverb.live.player import Player
from reverb.live.portaudio import CardStream
from reverb.live.prepare import Prepared
from reverb.live.processor import Strip
from reverb.live.recording import Recordings, dated_file
from reverb.live.report import Meters, Stats
from reverb.live.requests import Requests
from reverb.live.settings import LiveChanges, LiveSettings, Setup, decide
from reverb.live.stream import OpenStream, Running
from reverb.live.watchdog import Watch
from reverb.live.wires import wire
from reverb.responses.response import ImpulseResponse


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
    transition : {'crossfade', 'spillover'}
        May be changed any time.
    messages : deque of str
        What the user should be told, oldest first.

    Raises
    ------
    ReverbError
        On entering: MissingExtraError without PortAudio, DeviceError if the card cannot be had. On leaving, if
        the card was lost: DeviceLostError. NotRunningError if it is used before it has been entered.

    Examples
    --------
    >>> with Session(reverb.Reverb("hall"), block_size=128) as session:  # doctest: +SKIP
    ...     session.mix = 0.5
    ...     session.wait(60)
    ...     print(session.stats())
    """

    mix = Fader[float | None](
        "Share of the room, 0 to 1, at constant loudness; None while wet and dry are set."
    )
    wet = Fader[float]("Level of the room in dB; setting it leaves the mix.")
    dry = Fader[float]("Level of the dry sound in dB; setting it leaves the mix.")
    gain = Fader[float]("Level of the whole in dB.")
    bypass = Fader[bool]("Whether the dry sound is heard alone.")
    mute = Fader[bool]("Whether nothing is heard.")

    def __init__(
        self,
        effect: HasResponse,
        settings: LiveSettings | None = None,
        *,
        gain: float = 0.0,
        transition: Mode = "crossfade",
        responses: Iterable[ImpulseResponse | str] | None = None,
        open_stream: OpenStream = CardStream,
        decide_setup: Callable[[LiveSettings], Setup] = decide,
        **changes: Unpack[LiveChanges],
    ) -> None:
        if transition not in MODES:
            raise ParameterError(f"transition {transition!r}; expected one of {', '.join(MODES)}")
        self.settings = replace(settings or LiveSettings(), **changes)
        self.transition: Mode = transition
        self.messages: deque[str] = deque(maxlen=100)
        self._effect, self._gain_db = effect, gain
        self._rooms = rooms.gather(effect, responses)
        self._open_stream, self._decide = open_stream, decide_setup
        self._parts: Parts | None = None
        self._stack = contextlib.ExitStack()

    # From beginning to end.

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(interpreter.low_latency())
            self._parts = self._begin()
            interpreter.spare_the_collector()
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

    def _begin(self) -> Parts:
        """Decide, prepare, open: what is opened is closed in reverse order."""
        settings, closing = self.settings, self._stack.callback
        setup = self._decide(settings)
        rate, wires = setup.stream.sample_rate, wire(setup, self._effect)
        player = Player(settings.input_file, rate, loop=settings.loop) if settings.input_file else None
        if player is not None:
            closing(player.close)
        desk = Desk(self._effect, wires, rate, gain=self._gain_db, limiter=settings.limiter, player=player)
        recordings = Recordings(wires, rate)
        closing(recordings.stop)
        if settings.record is not None:
            recordings.start(settings.record, settings.record_dry, overwrite=settings.overwrite)

        def make_strip(block_size: int) -> Strip:
            strip = desk.make_strip(block_size)
            recordings.attach(strip)
            return strip

        running = Running(setup.stream, self._open_stream, make_strip)
        closing(running.close)
        watch = Watch(
            running,
            recordings,
            player,
            guard=settings.feedback_guard,
            tail=lambda: desk.prepared.response.frames,
            tell=self.tell,
        )
        closing(watch.close)
        requests = Requests(self.choose, self.tell)
        closing(requests.close)
        return Parts(
            desk=desk, running=running, recordings=recordings, player=player, watch=watch, requests=requests
        )

    @property
    def _begun(self) -> Parts:
        if self._parts is None:
            raise NotRunningError(
                "the session has not begun; use it as in: with Session(...) as session: ..."
            )
        return self._parts

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
        ended = self._begun.watch.ended.wait(seconds)
        self.check()
        return ended

    def check(self) -> None:
        """Raise what has gone wrong, if something has."""
        if (failure := self._begun.watch.failure) is not None:
            raise failure

    @property
    def started(self) -> bool:
        """Whether it has ever run."""
        return self._parts is not None

    @property
    def ended(self) -> bool:
        """Whether the input file has been played to its end, or something has failed."""
        return self._begun.watch.ended.is_set()

    def tell(self, message: str) -> None:
        """Add a message for the user, unless it is the last one again."""
        if not self.messages or self.messages[-1] != message:
            self.messages.append(message)

    # What is heard.

    @property
    def desk(self) -> Desk:
        """What holds effect and faders."""
        return self._begun.desk

    @property
    def effect(self) -> HasResponse:
        """What is played through now."""
        return self._effect if self._parts is None else self._parts.desk.effect

    @property
    def response(self) -> ImpulseResponse:
        """The wet path, in the session's channels and at its rate."""
        return self.desk.prepared.response

    @property
    def responses(self) -> Sequence[str]:
        """The names that `step` goes through."""
        return tuple(self._rooms)

    def swap(self, effect: HasResponse) -> None:
        """Play through another effect from now on, at the levels it asks for; prepared here, not in the audio thread.

        Raises
        ------
        InvalidAudioError
            If its channels do not suit the session's.
        """
        self._exchange(effect, self.desk.faders.adopt)

    def choose(self, name: str) -> None:
        """Put another response into the effect, by name or file, and leave the faders where they are.

        Raises
        ------
        UnknownNameError, AudioFileError, InvalidAudioError
            If there is no such response, or its channels do not suit the session's.
        ParameterError
            If the effect has no response to exchange.
        """
        effect = rooms.with_room(self.effect, rooms.take(self._rooms, name))
        self._exchange(effect, self.desk.faders.follow)

    def _exchange(self, effect: HasResponse, stand: Callable[[Prepared], None]) -> None:
        parts = self._begun
        if not parts.desk.exchange(effect, stand, self.transition):
            parts.running.renew()

    def request(self, response: str) -> None:
        """Ask for `choose` in the background; of several requests at once only the last is granted."""
        self._begun.requests.ask(response)

    def step(self, by: int) -> None:
        """Ask for the response that many places further, around the end."""
        names = list(self._rooms)
        own = rooms.room_of(self.effect)
        now = self._begun.requests.pending or (own.name if own is not None else "")
        self.request(names[(names.index(now) + by) % len(names) if now in names else 0])

    def calm(self) -> None:
        """Forget what clipped, and let the output back to where it was before a howl."""
        self.desk.strip.input_meter.calm()
        self.desk.strip.output_meter.calm()
        self._begun.watch.feedback.reset()

    # Recording.

    @property
    def recording(self) -> Path | None:
        """The file that is being recorded, None if none is."""
        return self._begun.recordings.current

    @property
    def recorded(self) -> list[Path]:
        """Every file that has been recorded."""
        return list(self._begun.recordings.paths)

    def record(self, path: PathLike, dry: PathLike | None = None, *, overwrite: bool = False) -> None:
        """Record what is heard, and the input too if a path is given for it.

        Raises
        ------
        AudioFileError, ParameterError
            As `reverb.live.recorder.Recorder`.
        """
        self._begun.recordings.start(path, dry, overwrite=overwrite)

    def stop_recording(self) -> list[Path]:
        """Finish the recording; return its files."""
        paths = self._begun.recordings.stop()
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

    def meters(self) -> Meters:
        """Return what the meters show now."""
        return self._begun.meters()

    def stats(self) -> Stats:
        """Return what has happened since the start."""
        return self._begun.stats()
