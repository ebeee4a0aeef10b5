"""`reverb live --reconnect`: a parent process that starts the session again until the card is back.

PortAudio is unusable in a process whose sound server has died: closing hangs, and exiting aborts. So the session runs
in a child process. When the card is lost, the child exits with a status of its own, and writes its levels to a file for
the next child.
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
_LEVELS = ("gain", "bypass", "mute")


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
        # Ctrl-C reaches the child as well; a signal sent to this process alone does not.
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


def _part(path: PathLike, number: int) -> Path:
    return Path(path).with_stem(f"{Path(path).stem}-{number}")


def restore(session: "Session") -> None:
    """Give a session the response and the levels of the previous child."""
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
