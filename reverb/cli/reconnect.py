"""`reverb live --reconnect`: a parent that starts the session again, in a new process, until the card is back.

PortAudio cannot be trusted in a process whose sound server has died: closing hangs, and ending it aborts. So the
session runs in a child, which leaves with a status of its own when the card is gone, and keeps where its faders stood
in a file for the next one.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reverb.audiofiles.files import PathLike
from reverb.errors import DeviceError, ReverbError

if TYPE_CHECKING:
    from reverb.live.session import Session
    from reverb.live.settings import LiveSettings

_STATE = "REVERB_LIVE_STATE"
_LOST = 75  # sysexits' EX_TEMPFAIL: try again
_WAIT_SECONDS = 1.0
_GRACE_SECONDS = 0.5
_FADERS = ("gain", "bypass", "mute")


def is_child() -> bool:
    """Whether this process is one that a parent starts again."""
    return _STATE in os.environ


def supervise(tell: Callable[[str], None]) -> int:
    """Run this very command in a child, again and again as long as its card is missing; return its status."""
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
        # Ctrl-C reaches the child as well; a signal to this process alone does not.
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


def give_up(error: DeviceError, session: "Session | None" = None) -> NoReturn:
    """Leave over a card that is missing: for the parent to try again, or with the error where there is none."""
    if not is_child():
        raise error
    state = Path(os.environ[_STATE])
    facts = _read(state)
    if session is not None:
        print(f"Error: {error}", file=sys.stderr)
        facts = {
            "response": session.response.name,
            "faders": {name: getattr(session, name) for name in _FADERS},
            "mix": session.mix,
            "wet": session.wet,
            "dry": session.dry,
        }
    state.write_text(json.dumps(facts))
    sys.exit(_LOST)


def continued(settings: "LiveSettings") -> "LiveSettings":
    """Return the settings for this turn: further recordings get further names."""
    if not is_child() or settings.record is None or "faders" not in _read(Path(os.environ[_STATE])):
        return settings
    wet, dry = settings.record, settings.record_dry
    part = 2
    while _part(wet, part).exists() or (dry is not None and _part(dry, part).exists()):
        part += 1
    return replace(settings, record=_part(wet, part), record_dry=None if dry is None else _part(dry, part))


def _part(path: PathLike, number: int) -> Path:
    return Path(path).with_stem(f"{Path(path).stem}-{number}")


def restore(session: "Session") -> None:
    """Put a session where the one before it stood."""
    facts = _read(Path(os.environ[_STATE])) if is_child() else {}
    if "faders" not in facts:
        return
    with contextlib.suppress(ReverbError):
        session.choose(facts["response"])
    if facts["mix"] is not None:
        session.mix = facts["mix"]
    else:
        session.wet, session.dry = facts["wet"], facts["dry"]
    for name, value in facts["faders"].items():
        setattr(session, name, value)
    session.tell("the sound card is back")
