"""The costs of a start, a render and an installation."""

import compileall
import subprocess
import sys
import tempfile
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile

import reverb
from checks.check import Group, NotMeasuredError, at_most
from checks.processes import ROOT, python, reverb_and_peak, seconds
from checks.signals import RATE, noise, room

group = Group("Costs", "Times are the minimum of nine runs, alternating with the reference.")


@group.check(
    "`import reverb` beyond an empty Python", "`python -c pass`", at_most(100, "ms", digits=2), timed=True
)
def _() -> float:
    with_it, without = seconds(9, ["-c", "import reverb"], ["-c", "pass"])
    return max(with_it - without, 0) * 1000


@group.check(
    "heavy libraries that `import reverb` loads",
    "NumPy, SciPy, sounddevice, click, soxr, matplotlib",
    at_most(0),
)
def _() -> float:
    heavy = ("numpy", "scipy", "sounddevice", "click", "soxr", "matplotlib")
    code = f"import reverb, sys; print(sum(name in sys.modules for name in {heavy}))"
    return float(python("-c", code).stdout)


@group.check(
    "`reverb apply` on 1 s of sound ÷ imports alone",
    "`import numpy, soundfile, click`",
    at_most(1.6, digits=2),
    timed=True,
)
def _() -> float:
    compileall.compile_dir(Path(reverb.__file__).parent, quiet=1)  # like an installed package
    with tempfile.TemporaryDirectory() as folder:
        soundfile.write(Path(folder, "in.wav"), noise(RATE), RATE, "PCM_24")
        apply = ["-m", "reverb", "apply", "in.wav", "out.wav", "--ir", "room"]
        imports = ["-c", "import numpy, soundfile, click"]
        whole, alone = seconds(9, apply, imports, cwd=Path(folder), made="out.wav")
        return whole / alone


@group.check(
    "peak memory, 4 min stereo through the church", "the kernel's VmHWM", at_most(200, "MB", digits=2)
)
def _() -> float:
    with tempfile.TemporaryDirectory() as folder:
        with soundfile.SoundFile(Path(folder, "in.wav"), "w", RATE, 2, "PCM_24") as sound:
            block = noise(10 * RATE)
            for _ in range(24):
                sound.write(block)
        result, peak = reverb_and_peak(
            "apply", "in.wav", "out.wav", "--ir", "church", "--quiet", cwd=Path(folder)
        )
        result.check_returncode()
        return peak


@group.check("memory allocated by 1000 real-time blocks", "tracemalloc's peak", at_most(8, "kB", digits=2))
def _() -> float:
    convolver = reverb.Convolver(room(RATE), 128, dry_db=-6)
    block, out = noise(128).astype(np.float32), np.empty((128, 2), np.float32)
    for _ in range(20):
        convolver.process(block, out)
    tracemalloc.start()
    for _ in range(1000):
        convolver.process(block, out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1000


@group.check(
    "size of the wheel, responses and presets included", "`python -m build`", at_most(5, "MB", digits=2)
)
def _() -> float:
    if not (find_spec("build") and find_spec("hatchling")):
        raise NotMeasuredError("`build` and `hatchling` are not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(ROOT)]
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.stat().st_size / 1e6
