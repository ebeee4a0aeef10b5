"""A live session on the command line, from start to summary: screen, remote control, a lost card."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from reverb.cli import reconnect as supervisor
from reverb.errors import DeviceError, missing_extra

if TYPE_CHECKING:
    from reverb.live.control.midi import MidiMap
    from reverb.live.session import Session


@dataclass(frozen=True, kw_only=True)
class Controls:
    """How a session is shown and controlled.

    Attributes
    ----------
    osc_port : int or None
        Port for OSC; 0 for any free port.
    osc_host : str
    midi_port : str or None
        Name of the MIDI input; empty for the first.
    midi_learn : str or None
        Parameter to which the next MIDI controller that moves is assigned.
    plain, quiet : bool
        Show one line instead of the full screen; show nothing.
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
            # Imports and MIDI ports keep the interpreter for long, so they come before the first block.
            midi_map = stack.enter_context(_remote(session, controls))
            show = _screen(session, controls, midi_map)
            stack.enter_context(session)
            supervisor.restore(session)
            show()
    except KeyboardInterrupt:
        pass
    except DeviceError as error:
        lost = error
    if not session.started:
        if lost is None:
            raise KeyboardInterrupt
        supervisor.give_up(lost)
    for message in session.messages:
        click.echo(message, err=True)
    click.echo(summary(session.stats(), [str(path) for path in session.recorded]), err=True)
    freeze_objects()
    if lost is not None:
        supervisor.give_up(lost, session)


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
