"""Check in seconds whether this package works with this Python and its libraries.

The script imports every module whose libraries are installed, renders a recording of the examples with the command, and
compares a live convolver with NumPy. At the first failure it ends with status 1 and the reason.
"""

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import reverb

DRY = Path(__file__).resolve().parents[1] / "examples" / "audio" / "drum-roll.flac"
NULL_DB = -120.0


def import_all() -> None:
    """Import every module; only libraries of extras may be missing."""
    missing: dict[str, int] = {}
    count = 0
    for module in pkgutil.walk_packages(reverb.__path__, "reverb."):
        if module.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(module.name)
            count += 1
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library in ("", "reverb"):
                raise
            missing[library] = missing.get(library, 0) + 1
    print(f"{count} modules imported", *(f"; {n} need {library}" for library, n in missing.items()))


def run_commands(folder: Path) -> None:
    """Render through the command line."""
    wet, low, plate = (folder / name for name in ("wet.wav", "low.wav", "plate.wav"))
    for command in (
        ["apply", DRY, wet, "--ir", "hall"],
        ["filter", "lowpass", DRY, low, "--cutoff", "1000"],
        ["chain", "vocal-plate", DRY, plate],
        ["ir", "list"],
    ):
        subprocess.run([sys.executable, "-m", "reverb", *map(str, command)], check=True, capture_output=True)
    assert all(path.stat().st_size > DRY.stat().st_size / 4 for path in (wet, low, plate))
    print("apply, filter, chain, ir list: done")


def null_convolver() -> None:
    """Compare the blocks of a live convolver with direct convolution in float64."""
    rng = np.random.default_rng(0)
    x, h = rng.standard_normal(12_800), rng.standard_normal(9_000) / 100
    convolver = reverb.Convolver(h, 128, inputs=1, dtype=np.float64)
    y = np.concatenate([convolver.process(block.reshape(-1, 1)).copy() for block in x.reshape(-1, 128)])[:, 0]
    expected = np.convolve(x, h)[: len(y)]
    error = 10 * np.log10(np.mean((y - expected) ** 2) / np.mean(expected**2))
    assert error < NULL_DB, f"a live convolver is off by {error:.0f} dB; expected less than {NULL_DB:.0f} dB"
    print(f"live convolver: {error:.0f} dB")


def main() -> None:
    """Run all checks."""
    import_all()
    with tempfile.TemporaryDirectory() as folder:
        run_commands(Path(folder))
    null_convolver()


if __name__ == "__main__":
    main()
