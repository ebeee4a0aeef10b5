"""A live session on the command line, from start to summary: screen, remote control, a lost card.

With --reconnect, a parent process starts the session again until the card is back: PortAudio is unusable in a process
whose sound server has died, for closing hangs, and exiting aborts. So the session runs in a child process. When the
card is lost, the child exits with a status of its own, and writes its levels to a file for the next child.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from reverb.errors import DeviceError, ReverbError, missing_extra

if TYPE_CHECKING:
    from reverb.audiofiles.files import PathLike
    from reverb.live.control.midi import MidiMap
    from reverb.live.session import Session
    from reverb.live.settings import LiveSettings

_STATE = "REVERB_LIVE_STATE"
_LOST = 75  # sysexits' EX_TEMPFAIL: try again
_WAIT_SECONDS = 1.0
_GRACE_SECONDS = 0.5
_LEVELS = ("gain", "bypass", "mute")


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The options of the screen and the remote control of a session.

    Attributes
    ----------
    osc_port : int or None
        Port for OSC; 0 for any free port.
    osc_host : str
        Network address for OSC.
    midi_port : str or None
        Name of the MIDI input; empty for the first.
    midi_learn : str or None
        Parameter to which the next MIDI controller that moves is assigned.
    plain : bool
        Show one line instead of the full screen.
    quiet : bool
        Show nothing but errors and the summary.
    duration : float or None
        Seconds after which the session ends.
    """

    osc_port: int | None
    osc_host: str
    midi_port: str | None
    midi_learn: str | None
    plain: bool
    quiet: bool
    duration: float | None


def play(session: "Session", controls: Controls) -> None:
    """Run a session from start to summary."""
    from reverb.live.scheduling import freeze_objects
    from reverb.monitor.text import summary

    lost: DeviceError | None = None
    try:
        with contextlib.ExitStack() as stack:
            # Imports and the opening of MIDI ports block the interpreter, so they are done before the first block.
            midi_map = stack.enter_context(_remote(session, controls))
            show = _screen(session, controls, midi_map)
            stack.enter_context(session)
            _restore(session)
            show()
    except KeyboardInterrupt:
        pass
    except DeviceError as error:
        lost = error
    if not session.started:
        if lost is None:
            raise KeyboardInterrupt
        _give_up(lost)
    for message in session.messages:
        click.echo(message, err=True)
    click.echo(summary(session.stats(), [str(path) for path in session.recorded]), err=True)
    freeze_objects()
    if lost is not None:
        _give_up(lost, session)


@contextlib.contextmanager
def _remote(session: "Session", controls: Controls) -> "Iterator[MidiMap | None]":
    """Accept OSC and MIDI, if requested; yield the map of MIDI controllers."""
    with contextlib.ExitStack() as stack:
        midi_map = None
        if controls.osc_port is not None:
            from reverb.live.control.osc import OscControl

            osc = OscControl(session, controls.osc_port, controls.osc_host)
            stack.callback(osc.close)
            session.tell(f"OSC at {controls.osc_host}:{osc.port}")
        if controls.midi_port is not None or controls.midi_learn is not None:
            from reverb.live.control.midi import MidiControl, MidiMap, map_file

            midi_map = MidiMap(map_file())
            midi_map.learn(controls.midi_learn)
            midi = MidiControl(session, controls.midi_port or "", midi_map)
            stack.callback(midi.close)
            session.tell(f"MIDI from {midi.name}")
        yield midi_map


def _screen(session: "Session", controls: Controls, midi_map: "MidiMap | None") -> Callable[[], None]:
    """Return a function that shows the session until it ends: on the full screen if possible, or in one line."""
    from reverb.monitor.plain import run_plain

    def in_one_line() -> None:
        run_plain(session, sys.stderr, controls.duration, quiet=controls.quiet)

    def on_the_full_screen() -> None:
        monitor.run()
        session.check()

    if controls.plain or controls.quiet or not (sys.stdout.isatty() and sys.stdin.isatty()):
        return in_one_line
    try:
        from reverb.monitor.app import Monitor
    except ImportError:
        session.tell(str(missing_extra("live", "the full screen needs Textual")))
        return in_one_line
    monitor = Monitor(session, midi_map, controls.duration)
    return on_the_full_screen


def is_child() -> bool:
    """Return whether this process is a child that its parent restarts."""
    return _STATE in os.environ


def supervise(tell: Callable[[str], None]) -> int:
    """Run this command in a child process, and again while the card is missing; return the last exit status."""
    with tempfile.TemporaryDirectory(prefix="reverb-") as folder, contextlib.suppress(KeyboardInterrupt):
        state = Path(folder) / "state.json"
        environment = {**os.environ, _STATE: str(state)}
        command = [sys.executable, "-m", "reverb", *sys.argv[1:]]
        while (status := _wait(subprocess.Popen(command, env=environment))) == _LOST:
            facts = _read(state)
            if not facts.get("waiting"):
                tell("waiting for the sound card (Ctrl-C ends)")
                state.write_text(json.dumps({**facts, "waiting": True}))
            time.sleep(_WAIT_SECONDS)
        return status
    return 0


def _wait(child: "subprocess.Popen[bytes]") -> int:
    try:
        return child.wait()
    except KeyboardInterrupt:
        # Ctrl-C reaches the child, too; a signal to this process does not.
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(_GRACE_SECONDS)
        child.terminate()
        return child.wait()


def _read(state: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        facts = json.loads(state.read_text())
        if isinstance(facts, dict):
            return facts
    return {}


def _give_up(error: DeviceError, session: "Session | None" = None) -> NoReturn:
    """Exit because the card is missing, so that the parent tries again; without a parent, raise the error."""
    if not is_child():
        raise error
    state = Path(os.environ[_STATE])
    facts = _read(state)
    if session is not None:
        print(f"Error: {error}", file=sys.stderr)
        facts = {
            "response": session.response.name,
            "levels": {name: getattr(session, name) for name in _LEVELS},
            "mix": session.mix,
            "wet": session.wet,
            "dry": session.dry,
        }
    state.write_text(json.dumps(facts))
    sys.exit(_LOST)


def continued(settings: "LiveSettings") -> "LiveSettings":
    """Return the settings for this child: recordings of later children get numbered names."""
    if not is_child() or settings.record is None or "levels" not in _read(Path(os.environ[_STATE])):
        return settings
    wet, dry = settings.record, settings.record_dry
    part = 2
    while _part(wet, part).exists() or (dry is not None and _part(dry, part).exists()):
        part += 1
    return replace(settings, record=_part(wet, part), record_dry=None if dry is None else _part(dry, part))


def _part(path: "PathLike", number: int) -> Path:
    return Path(path).with_stem(f"{Path(path).stem}-{number}")


def _restore(session: "Session") -> None:
    """Set the response and the levels of a session to those of the previous child."""
    facts = _read(Path(os.environ[_STATE])) if is_child() else {}
    if "levels" not in facts:
        return
    with contextlib.suppress(ReverbError):
        session.choose(facts["response"])
    if facts["mix"] is not None:
        session.mix = facts["mix"]
    else:
        session.wet, session.dry = facts["wet"], facts["dry"]
    for name, value in facts["levels"].items():
        setattr(session, name, value)
    session.tell("the sound card is back")
