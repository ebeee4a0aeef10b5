"""Play every dry recording through every bundled preset; print the change of loudness and the clipped samples.

    scripts/check_presets.py FOLDER

The loudness is measured by pyloudnorm, on the files. Exits with 1 if a preset changes it by more than 1.5 dB, or
clips.
"""

import sys
import tempfile
from pathlib import Path

import pyloudnorm
import soundfile

from reverb.render.files import process_file
from reverb.store.presets import presets

ALLOWED_DB = 1.5
SOUNDS = (".wav", ".flac", ".aif", ".ogg")


def loudness(path: Path) -> float:
    x, rate = soundfile.read(path, always_2d=True)
    return float(pyloudnorm.Meter(rate).integrated_loudness(x))


def main(folder: Path) -> int:
    recordings = sorted(path for path in folder.iterdir() if path.suffix in SOUNDS)
    before = {path: loudness(path) for path in recordings}
    failures = 0
    print(f"{'preset':16}  {'loudness (dB)':>16}  {'held at most (dB)':>17}  clipped")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.wav"
        for preset in presets():
            changes, held, clipped = [], 0.0, 0
            for path in recordings:
                report = process_file(
                    path,
                    out,
                    preset.effect,
                    match_loudness=True,
                    floor_db=-120,
                    subtype="PCM_24",
                    overwrite=True,
                )
                changes.append(loudness(out) - before[path])
                held, clipped = max(held, report.reduction_db), clipped + report.clipped
            failures += clipped > 0 or max(map(abs, changes)) > ALLOWED_DB
            span = f"{min(changes):+.2f} to {max(changes):+.2f}"
            print(f"{preset.name:16}  {span:>16}  {held:17.2f}  {clipped}")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
