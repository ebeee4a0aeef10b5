"""A live session: the sound card played through an effect, which can be changed meanwhile."""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, Unpack

from reverb.audiofiles.files import PathLike
from reverb.checks import in_range, instance, one_of, whole
from reverb.effects.effect import HasResponse, check_effect
from reverb.engine.realtime.swap import MODES, Mode
from reverb.errors import NotRunningError, ReverbError
from reverb.levels import to_db
from reverb.live import scheduling
from reverb.live.engine import LiveEngine
from reverb.live.levels import LevelAttribute, Levels, as_amplitude
from reverb.live.loader import ResponseLoader, check_name, find_response, list_responses, room_of, with_room
from reverb.live.meters import Meters, Stats
from reverb.live.recordings import dated_file
from reverb.live.settings import LiveChanges, LiveSettings, Setup, decide
from reverb.live.stream import CardStream, OpenStream
from reverb.responses.response import ImpulseResponse


class _Running(NamedTuple):
    """The parts of a session that has begun."""

    engine: LiveEngine
    loader: ResponseLoader


class Session:
    """Play the sound card through an effect, for the length of a ``with`` block.

    Every method and property may be used from any thread while the session runs.

    Parameters
    ----------
    effect : Effect or ImpulseResponse
        The effect to play through. Dry and wet of a `Reverb` stay apart, so that its mix can be changed.
    settings : LiveSettings, optional
        How to use the card; its fields may be given as keywords instead (``sample_rate=48_000``).
    gain : float
        Level of dry and wet together in dB, up to 60.
    transition : {'crossfade', 'spillover'}
        How a new response takes over: as if it had always been in use, or while the old one rings out.
    responses : iterable of ImpulseResponse or str, optional
        The responses for `step`; by default those of the library.
    open_stream, decide_setup : callable
        Open the card, and choose its channels, sample rate and block size; tests replace them.

    Attributes
    ----------
    transition : {'crossfade', 'spillover'}
        May be changed at any time.
    messages : deque of str
        Messages for the user, oldest first.

    Raises
    ------
    ParameterError
        If an argument is out of range or of the wrong type.
    ReverbError
        On entering the block: MissingExtraError without PortAudio, DeviceError if the card cannot be opened. On
        leaving it: DeviceLostError if the card was lost. NotRunningError on use before it.

    Examples
    --------
    >>> with Session(reverb.Reverb("hall"), block_size=128) as session:  # doctest: +SKIP
    ...     session.mix = 0.5
    ...     session.wait(60)
    ...     print(session.stats())
    """

    mix = LevelAttribute[float | None](
        lambda levels: levels.mix,
        Levels.with_mix,
        "Proportion of the wet sound, 0 to 1, at constant loudness; None while wet and dry are set separately.",
    )
    wet = LevelAttribute[float](
        lambda levels: to_db(levels.wet), Levels.with_wet, "Wet level in dB; setting it sets the mix to None."
    )
    dry = LevelAttribute[float](
        lambda levels: to_db(levels.dry), Levels.with_dry, "Dry level in dB; setting it sets the mix to None."
    )
    gain = LevelAttribute[float](
        lambda levels: to_db(levels.gain), Levels.with_gain, "Level of dry and wet together in dB."
    )
    bypass = LevelAttribute[bool](
        lambda levels: levels.bypass, Levels.with_bypass, "Whether only the dry sound passes, as it came in."
    )
    mute = LevelAttribute[bool](lambda levels: levels.mute, Levels.with_mute, "Whether the output is silent.")

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
        check_effect("effect", effect)
        given = LiveSettings() if settings is None else instance("settings", settings, LiveSettings)
        self.settings = replace(given, **changes)
        self.transition = transition
        self.messages: deque[str] = deque(maxlen=100)
        as_amplitude("gain", gain)
        self._effect, self._gain_db = effect, gain
        self._responses = list_responses(effect, responses)
        self._open_stream, self._decide_setup = open_stream, decide_setup
        self._parts: _Running | None = None
        self._stack = contextlib.ExitStack()  # closes everything in reverse order

    # Start and end.

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(scheduling.low_latency())
            engine = LiveEngine(
                self._effect,
                self.settings,
                self._decide_setup(self.settings),
                gain_db=self._gain_db,
                open_stream=self._open_stream,
                tell=self.tell,
            )
            self._stack.callback(engine.close)
            loader = ResponseLoader(self.choose, self.tell)
            self._stack.callback(loader.close)
            self._parts = _Running(engine, loader)
            scheduling.freeze_objects()
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

    @property
    def _running(self) -> _Running:
        if self._parts is None:
            raise NotRunningError("the session has not begun; use it as: with Session(...) as session: ...")
        return self._parts

    @property
    def engine(self) -> LiveEngine:
        """The audio side of the session."""
        return self._running.engine

    def close(self) -> None:
        """Fade out, close the card and finish the recordings; `stats` and `meters` stay available."""
        self._stack.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the input file has ended, or for some seconds; return whether the session has ended.

        Parameters
        ----------
        seconds : float, optional
            By default there is no limit.

        Raises
        ------
        DeviceLostError
            If the card is lost meanwhile.
        Exception
            The exception that ended the processing, if one did.
        """
        if seconds is not None:
            in_range("seconds", seconds, 0, float("inf"))
        ended = self.engine.watchdog.ended.wait(seconds)
        self.check()
        return ended

    def check(self) -> None:
        """Raise the exception that ended the session, if one did."""
        if (failure := self.engine.watchdog.failure) is not None:
            raise failure

    @property
    def started(self) -> bool:
        """Whether the session runs, or has run."""
        return self._parts is not None

    @property
    def ended(self) -> bool:
        """Whether the input file has been played to its end, or something has failed."""
        return self.engine.watchdog.ended.is_set()

    def tell(self, message: str) -> None:
        """Add a message for the user, unless it repeats the last one."""
        if not self.messages or self.messages[-1] != message:
            self.messages.append(message)

    # The effect.

    @property
    def transition(self) -> Mode:
        """How a new response takes over: ``'crossfade'`` or ``'spillover'``."""
        return self._transition

    @transition.setter
    def transition(self, mode: Mode) -> None:
        self._transition: Mode = one_of("transition", mode, MODES)

    @property
    def levels(self) -> Levels:
        """All levels, as an immutable value."""
        return self.engine.levels

    def set_levels(self, change: Callable[[Levels], Levels]) -> None:
        """Replace the levels by those that `change` returns for them.

        Raises
        ------
        ParameterError
            As `change` does; the levels stay as they were.
        """
        self.engine.set_levels(change)

    @property
    def effect(self) -> HasResponse:
        """The effect in use."""
        return self._effect if self._parts is None else self.engine.effect

    @property
    def response(self) -> ImpulseResponse:
        """The impulse response of the wet path, in the session's channels and at its sample rate."""
        return self.engine.levels.prepared.response

    @property
    def responses(self) -> Sequence[str]:
        """The names of the responses for `step`."""
        return tuple(self._responses)

    def swap(self, effect: HasResponse) -> None:
        """Change to another effect and to the levels that it defines.

        The calling thread does the work. When this returns, the audio thread has the new effect.

        Raises
        ------
        ParameterError
            If it is no effect.
        InvalidAudioError
            If the effect's channels do not suit the session's.
        """
        check_effect("effect", effect)
        self.engine.exchange(lambda _: effect, Levels.with_effect, self.transition)

    def choose(self, name: str) -> None:
        """Replace the effect's response by another one, given by its name or file, and keep the levels.

        Raises
        ------
        UnknownNameError, AudioFileError, InvalidAudioError
            If there is no such response, or its channels do not suit the session's.
        ParameterError
            If the effect has no response, or the name is no text.
        """
        response = find_response(self._responses, name)
        self.engine.exchange(
            lambda effect: with_room(effect, response), Levels.with_response, self.transition
        )

    def request(self, response: str) -> None:
        """Request `choose` in the background; of several requests that wait, only the last is served."""
        check_name(response)
        self._running.loader.request(response)

    def step(self, by: int) -> None:
        """Request the response that many places further on; the list is circular."""
        places = whole("by", by, -(1 << 31), 1 << 31)
        names, loader = list(self._responses), self._running.loader
        current = room_of(self.effect)
        now = loader.pending or (current.name if current is not None else "")
        self.request(names[(names.index(now) + places) % len(names) if now in names else 0])

    def clear_alerts(self) -> None:
        """Forget clipped blocks and howls, and let the output return to its level."""
        self.engine.clear_alerts()

    def calm(self) -> None:
        """Do as `clear_alerts`: its old name, for one release."""
        warnings.warn("Session.calm is now Session.clear_alerts", DeprecationWarning, stacklevel=2)
        self.clear_alerts()

    # Recording.

    @property
    def recording(self) -> Path | None:
        """The file that is being recorded, None if there is none."""
        return self.engine.recordings.path

    @property
    def recorded(self) -> list[Path]:
        """All files that have been recorded."""
        return self.engine.recordings.paths

    def record(self, path: PathLike, dry: PathLike | None = None, *, overwrite: bool = False) -> None:
        """Record the output, and the input as well if `dry` is a path.

        Raises
        ------
        AudioFileError, ParameterError
            As `reverb.live.files.Recorder` raises them.
        """
        self.engine.recordings.start(path, dry, overwrite=overwrite)

    def stop_recording(self) -> list[Path]:
        """Finish the recording; return its files."""
        paths = self.engine.recordings.stop()
        if paths:
            self.tell(f"recorded {', '.join(map(str, paths))}")
        return paths

    def toggle_recording(self) -> None:
        """Stop the recording, or start one in the current folder, named after date and time."""
        try:
            if self.recording is None:
                self.record(dated_file())
            else:
                self.stop_recording()
        except ReverbError as error:
            self.tell(str(error))

    # Figures.

    def meters(self) -> Meters:
        """Return the current readings of the meters."""
        return self.engine.meters()

    def stats(self) -> Stats:
        """Return the figures since the start."""
        return self.engine.stats()
