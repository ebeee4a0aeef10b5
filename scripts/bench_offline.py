"""Compare offline rendering of whole files with other programs: wall time, memory, and error.

Every program renders the same file through the same response, one after the other, in a random order for each turn,
because a program affects the next one: after one that frees a gigabyte, a render takes 50 ms longer. The ratios are
medians over the turns. Programs that are not installed are skipped, with a message. `reverb` runs with compiled
bytecode, as pip installs it, without FFTW and with FFTW after `reverb tune --thorough`, which takes minutes. At the
end, a file of one second shows the cost of the start.

    python scripts/bench_offline.py                     # 10 minutes of stereo, responses of 4 s and 10 s
    python scripts/bench_offline.py --seconds 60 --turns 3 --tuned cache     # keeps the folder for the next run
"""

import argparse
import compileall
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from benchmarks.results import Row, add_options, keep, this_machine
from scipy.signal import oaconvolve

import reverb

SAMPLE_RATE = 48_000
CHECKED_SECONDS = 15
OURS, UNTUNED, COPYING = "reverb, FFTW tuned", "reverb, no FFTW", "copy with soundfile"

# A small launcher measures, because the peak memory of a child starts at that of its parent.
LAUNCHER = """
import os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(status != 0)
"""
COPY = """
import sys, soundfile
with soundfile.SoundFile(sys.argv[1]) as source:
    with soundfile.SoundFile(sys.argv[3], "w", source.samplerate, source.channels, "PCM_24") as out:
        while len(block := source.read(65536, dtype="float32")):
            out.write(block)
"""
SCIPY = """
import sys, numpy, scipy.signal, soundfile
x, sample_rate = soundfile.read(sys.argv[1], dtype="float32")
h, _ = soundfile.read(sys.argv[2], dtype="float32")
y = [scipy.signal.oaconvolve(numpy.ascontiguousarray(x[:, c]), numpy.ascontiguousarray(h[:, c])) for c in (0, 1)]
soundfile.write(sys.argv[3], numpy.stack(y, axis=1), sample_rate, "PCM_24")
"""
PEDALBOARD = """
import sys, pedalboard
from pedalboard.io import AudioFile
plugin = pedalboard.Convolution(sys.argv[2], 1.0)
with AudioFile(sys.argv[1]) as source:
    with AudioFile(sys.argv[3], "w", source.samplerate, source.num_channels, bit_depth=24) as out:
        while source.tell() < source.frames:
            out.write(plugin(source.read(65536), source.samplerate, reset=False))
"""
FCONVOLVER = """/cd {folder}
/convolver/new 2 2 {partition} {frames}
/impulse/read 1 1 1 0 0 0 1 {response}
/impulse/read 2 2 1 0 0 0 2 {response}
"""


@dataclass
class Program:
    """A program, its command, and the measurements of its runs."""

    name: str
    command: Callable[[Path, Path, Path], list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_megabytes: float = 0.0
    null_db: float = np.nan
    gain_db: float = np.nan

    def run(self, source: Path, response: Path, out: Path) -> None:
        """Run the program once, as a whole process."""
        command = [sys.executable, "-S", "-c", LAUNCHER, *self.command(source, response, out)]
        environment = {**os.environ, **self.environment}
        result = subprocess.run(command, capture_output=True, text=True, env=environment)
        if result.returncode != 0:
            raise SystemExit(f"{self.name} failed:\n{result.stderr}")
        wall, cpu, kilobytes = map(float, result.stdout.splitlines()[-1].split())
        self.wall.append(wall)
        self.cpu.append(cpu)
        self.peak_megabytes = max(self.peak_megabytes, kilobytes / 1024)


def programs(folder: Path, tuned: Path) -> list[Program]:
    """Return the installed programs, ours first, and print the missing ones; `tuned` is a cache folder for ours."""
    python = sys.executable

    def script(text: str) -> Callable[[Path, Path, Path], list[str]]:
        return lambda source, response, out: [python, "-c", text, str(source), str(response), str(out)]

    def ours(source: Path, response: Path, out: Path) -> list[str]:
        settings = ["--mix", "1", "--ir-level", "none", "--force", "--quiet"]
        return [python, "-m", "reverb", "apply", str(source), str(out), "--ir", str(response), *settings]

    def cache(place: Path) -> dict[str, str]:
        return {"XDG_CACHE_HOME": str(place)}

    def ffmpeg(source: Path, response: Path, out: Path) -> list[str]:
        quiet = ["ffmpeg", "-y", "-loglevel", "error", "-i", str(source), "-i", str(response)]
        return [*quiet, "-lavfi", "afir=gtype=none", "-c:a", "pcm_s24le", str(out)]

    def fconvolver(source: Path, response: Path, out: Path) -> list[str]:
        frames = soundfile.info(response).frames
        text = FCONVOLVER.format(
            folder=response.parent, partition=8192, frames=frames, response=response.name
        )
        configuration = folder / f"{response.stem}.conf"
        configuration.write_text(text)
        return ["fconvolver", str(configuration), str(source), str(out)]

    fftw = _importable("pyfftw")
    found = [Program(OURS, ours, cache(tuned))] if fftw else []
    found += [Program(UNTUNED, ours, cache(folder / "new")), Program(COPYING, script(COPY))]
    if fftw and not tuned.exists():
        environment = {**os.environ, **cache(tuned)}
        tuning = [python, "-m", "reverb", "tune", "--thorough", "--quiet"]
        subprocess.run(tuning, check=True, env=environment)
    for name, command, present in (
        ("ffmpeg afir", ffmpeg, shutil.which("ffmpeg")),
        ("fconvolver", fconvolver, shutil.which("fconvolver")),
        ("pedalboard", script(PEDALBOARD), _importable("pedalboard")),
        ("scipy oaconvolve", script(SCIPY), True),
    ):
        if present:
            found.append(Program(name, command))
        else:
            print(f"({name}: not installed, skipped)")
    return found


def _importable(module: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


def make_material(folder: Path, seconds: int, response_seconds: float) -> tuple[Path, Path]:
    """Write noise as the recording and decaying noise as the response, quiet enough not to clip."""
    rng = np.random.default_rng(1)
    source = folder / "source.wav"
    if not source.exists():
        with soundfile.SoundFile(source, "w", SAMPLE_RATE, 2, "PCM_24") as file:
            for _ in range(seconds):
                file.write(0.05 * rng.standard_normal((SAMPLE_RATE, 2)))
    frames = round(response_seconds * SAMPLE_RATE)
    decay = np.exp(-6.91 * np.arange(frames) / frames)[:, np.newaxis]
    samples = rng.standard_normal((frames, 2)) * decay
    samples /= 1.5 * np.sqrt((samples**2).sum(axis=0))
    response = folder / f"response-{response_seconds:g}.wav"
    soundfile.write(response, samples, SAMPLE_RATE, "FLOAT")
    return source, response


def check(program: Program, source: Path, response: Path, out: Path) -> None:
    """Compare the first seconds with float64, after removing the constant gain of some programs."""
    frames = CHECKED_SECONDS * SAMPLE_RATE
    x, _ = soundfile.read(source, frames=frames, always_2d=True)
    h, _ = soundfile.read(response, always_2d=True)
    reference = oaconvolve(x, h, axes=0)[: len(x)]
    if program.name == COPYING:
        reference = x
    y, _ = soundfile.read(out, frames=len(x), always_2d=True)
    gain = float((y * reference).sum() / (reference**2).sum())
    program.gain_db = 20 * np.log10(max(abs(gain), 1e-12))
    program.null_db = null_db(y / gain if gain else y, reference)


def null_db(actual: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> float:
    """Return the peak of the residual ÷ the peak of the reference, in dB."""
    return float(20 * np.log10(max(np.abs(actual - reference).max() / np.abs(reference).max(), 1e-16)))


def compare(folder: Path, tuned: Path, seconds: int, response_seconds: float, turns: int) -> list[Row]:
    """Run all programs in turn, print the table for one response length, and return it."""
    source, response = make_material(folder, seconds, response_seconds)
    found = programs(folder, tuned)
    out = folder / "out.wav"
    chance = random.Random(1)
    for turn in range(turns + 1):
        for program in chance.sample(found, len(found)):
            out.unlink(missing_ok=True)
            program.run(source, response, out)
            if turn == 0:  # a warm-up, used for the null
                check(program, source, response, out)
                program.wall.clear()
                program.cpu.clear()
    ours = found[0]
    print(f"\nresponse {response_seconds:g} s, {seconds / 60:g} min of stereo at {SAMPLE_RATE} Hz, 24 bits")
    print(f"medians of {turns} turns\n")
    print(f"| {'program':<21} | wall s | CPU s | MB | ours ÷ its wall | null dB | gain dB |")
    print("|---|---|---|---|---|---|---|")
    rows: list[Row] = []
    for program in found:
        wall, cpu = statistics.median(program.wall), statistics.median(program.cpu)
        ratio = statistics.median(a / b for a, b in zip(ours.wall, program.wall, strict=True))
        print(
            f"| {program.name:<21} | {wall:.2f} | {cpu:.2f} | {program.peak_megabytes:.0f} | {ratio:.2f} "
            f"| {program.null_db:.0f} | {program.gain_db:+.1f} |"
        )
        rows.append(
            {
                "sound_s": seconds,
                "response_s": response_seconds,
                "program": program.name,
                "wall_s": wall,
                "cpu_s": cpu,
                "memory_mb": program.peak_megabytes,
                "ours_to_it": ratio,
                "null_db": program.null_db,
                "gain_db": program.gain_db,
            }
        )
    return rows


def starts(folder: Path, turns: int) -> list[Row]:
    """Print and return the time for a file of one second, and the time for importing the libraries."""
    rng = np.random.default_rng(2)
    soundfile.write(
        folder / "second.wav", 0.05 * rng.standard_normal((SAMPLE_RATE, 2)), SAMPLE_RATE, "PCM_24"
    )
    out = folder / "second-out.wav"

    def apply(name: str) -> list[str]:
        rendering = [sys.executable, "-m", "reverb", "apply", str(folder / "second.wav"), str(out)]
        return [*rendering, "--ir", name, "--quiet"]

    imports = [sys.executable, "-c", "import numpy, soundfile, click"]
    found = [Program("the imports alone", lambda *_: imports)]
    found += [Program(name, lambda *_, n=name: apply(n)) for name in ("room", "hall", "church")]
    for _ in range(turns):
        for program in found:
            out.unlink(missing_ok=True)
            program.run(out, out, out)
    print(
        f"\nstart: 1 s of sound, medians of {turns} turns\n\n| program | ms | ÷ the imports |\n|---|---|---|"
    )
    rows: list[Row] = []
    for program in found:
        ratio = statistics.median(a / b for a, b in zip(program.wall, found[0].wall, strict=True))
        milliseconds = 1000 * statistics.median(program.wall)
        print(f"| {program.name:<17} | {milliseconds:.0f} | {ratio:.2f} |")
        rows.append({"what": program.name, "wall_ms": milliseconds, "to_imports": ratio})
    return rows


def main() -> None:
    """Parse and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--responses", type=float, nargs="+", default=[4.0, 10.0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument(
        "--tuned",
        type=Path,
        metavar="FOLDER",
        help="keep the result of tuning in this folder, for the next run",
    )
    add_options(parser)
    options = parser.parse_args()
    print(this_machine())
    with tempfile.TemporaryDirectory(prefix="reverb-bench-") as folder:
        tuned = options.tuned or Path(folder) / "tuned"
        compileall.compile_dir(Path(reverb.__file__).parent, quiet=1)
        rows = [
            row
            for response_seconds in options.responses
            for row in compare(Path(folder), tuned, options.seconds, response_seconds, options.turns)
        ]
        tables = {"files": rows, "starts": starts(Path(folder), 4 * options.turns)}
    keep(options, tables)


if __name__ == "__main__":
    main()
