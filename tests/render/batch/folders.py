"""Helpers of the tests of batches: small folders of sound, a small room, and the contents of outputs."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import soundfile

from reverb import Gain, ImpulseResponse, Reverb, process_files
from reverb.render.batch.batch import BatchReport
from reverb.render.batch.journal import JOURNAL
from tests.signals import decaying, noise

ROOM = ImpulseResponse(0.1 * decaying(600, 2), 48_000, "room")
HALL = ImpulseResponse(0.1 * decaying(900, 2, seed=7), 48_000, "hall")
QUIETER = Gain(-6.0)
EFFECTS: Mapping[str, Any] = {"room": Reverb(ROOM), "hall": Reverb(HALL, mix=0.5, predelay=0.01)}
NAMES = tuple(f"{number}.wav" for number in range(6))


def fill(folder: Path, *names: str, frames: int = 2000) -> Path:
    """Write files of different noise into a folder; names may contain folders."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:4])
        with soundfile.SoundFile(os.fsencode(path), "w", 48_000, 1, "PCM_16") as file:
            file.write(noise(frames, 1, seed))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder except the journal, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != JOURNAL
    }


def journal(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a folder's journal by output; each line must be JSON, and no output may occur twice."""
    lines = [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]
    records = {line["output"]: line for line in lines}
    assert len(records) == len(lines)
    return records


def leftovers(folder: Path) -> list[Path]:
    """Return the scratch folders below a folder."""
    return [path for path in folder.rglob(".*") if path.name.startswith(".reverb-")]


def statuses(report: BatchReport) -> list[str]:
    """Return the statuses of a report's outcomes, in order."""
    return [outcome.status for outcome in report.outcomes]


def rendered(takes: Path, effect: Any = QUIETER, **settings: Any) -> dict[str, bytes]:
    """Return the outputs of an undisturbed batch."""
    process_files(takes, "expected", effect, **settings)
    return contents(Path("expected"))
