"""The same input gives the same bytes."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import reverb
from checks.check import Group, at_most
from checks.processes import python
from checks.signals import RATE, noise, room

group = Group("Determinism", "Outputs that differ from the first one, for the same input and settings.")


def _digests(settings: dict[str, Any], name: str, workers: tuple[int, ...]) -> set[str]:
    """Return the different contents of a file rendered with several numbers of threads."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.wav")
        soundfile.write(source, noise(6 * RATE) / 2, RATE, "PCM_24")
        digests = set()
        for count in workers:
            output = Path(folder, f"{count}-{name}")
            reverb.process_file(source, output, reverb.Reverb("hall"), workers=count, **settings)
            digests.add(hashlib.sha256(output.read_bytes()).hexdigest())
        return digests


@group.check(
    "files with 1, 2, 3 and 7 threads: WAV, dithered WAV, FLAC, floats, loudness matched",
    "equal bytes",
    at_most(0),
)
def _() -> float:
    kinds: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "out.wav"),
        ({"subtype": "PCM_16"}, "out.wav"),
        ({}, "out.flac"),
        ({"subtype": "FLOAT"}, "out.wav"),
        ({"match_loudness": True}, "out.wav"),
    )
    return sum(len(_digests(settings, name, (1, 2, 3, 7))) - 1 for settings, name in kinds)


@group.check("arrays with 1, 2, 3 and 7 threads: samples", "equal samples", at_most(0))
def _() -> float:
    x, h = noise(10 * RATE).astype(np.float32), room(RATE).astype(np.float32)
    first, *others = (reverb.convolve(x, h, workers=count) for count in (1, 2, 3, 7))
    return float(sum((first != other).sum() for other in others))


@group.check("two runs of `reverb apply`", "equal bytes", at_most(0))
def _() -> float:
    with tempfile.TemporaryDirectory() as folder:
        soundfile.write(Path(folder, "in.wav"), noise(RATE), RATE, "PCM_16")
        for name in ("a.flac", "b.flac"):
            python(
                "-m", "reverb", "apply", "in.wav", name, "--ir", "room", cwd=Path(folder)
            ).check_returncode()
        one, other = (Path(folder, name).read_bytes() for name in ("a.flac", "b.flac"))
        return float(one != other)
