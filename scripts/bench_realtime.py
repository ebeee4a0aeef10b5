#!/usr/bin/env python3
"""Compare the real-time convolver with its peers in one run: CPU per block, and the times of its slowest blocks.

The peers process the same sound of every case in turn, several times (A B C A B C), so that a slow phase of the
machine affects all of them. Medians count, and the CPU time is that of all threads. The table has each result's error
against float64 beside its time, so that a fast wrong result shows. Peers: zita-convolver in C++ with its default and
with its best options (needs libzita-convolver-dev and a C++ compiler), pedalboard.Convolution (pip install
pedalboard), and scipy's oaconvolve over the whole sound at once, a lower bound that no block processor can reach.
Missing peers are skipped, with a message.

    scripts/bench_realtime.py --quick
    scripts/bench_realtime.py --blocks 128 512 --seconds 1 10 --layouts stereo
    scripts/bench_realtime.py --quick --paced      # one block per period, as from a sound card
"""

import argparse
import importlib
import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from benchmarks.results import Row, add_options, keep, this_machine
from scipy.signal import oaconvolve

from reverb.engine.fft import BackendName
from reverb.live.convolver import Convolver

Samples = npt.NDArray[Any]

RATE = 48_000
LAYOUTS = {"stereo": 2, "true stereo": 4}
LATE = {"p50_us": 50, "p99_us": 99, "p999_us": 99.9, "max_us": 100}
"""Percentiles of the block times."""
BLOCKS, SECONDS = (32, 64, 128, 256, 512, 1024), (0.5, 1.0, 2.0, 4.0, 10.0)


class Case(NamedTuple):
    """The work of all peers: `sound` ``(frames, 2)`` through `response` ``(taps, 2 or 4)`` in blocks."""

    sound: Samples
    response: Samples
    block: int
    paced: bool

    @property
    def period(self) -> float:
        """Return the seconds of a block."""
        return self.block / RATE


class Title(NamedTuple):
    """Return the parameters that identify a case."""

    layout: str
    response_s: float
    block: int

    def __str__(self) -> str:
        return f"{self.layout}, {self.response_s:g} s, blocks of {self.block}"


class Round(NamedTuple):
    """One run of a peer: CPU and wall seconds of each block, and the result."""

    cpu: float
    times: Samples
    result: Samples


Peer = Callable[[Case], Round]


@dataclass
class Figures:
    """The runs of a peer for one case."""

    rounds: list[Round] = field(default_factory=list)
    null: float = np.nan

    @property
    def cpu(self) -> float:
        """Return the microseconds of CPU per block."""
        return 1e6 * float(np.median([done.cpu for done in self.rounds]))

    def late(self, percent: float) -> float:
        """Return a percentile of the block times in microseconds, as the median over the rounds."""
        if not len(self.rounds[0].times):
            return np.nan
        return 1e6 * float(np.median([np.percentile(done.times, percent) for done in self.rounds]))


def in_blocks(case: Case, process: Callable[[Samples, Samples], object]) -> Round:
    """Time a block processor in this process, without the cost of the empty loop."""
    idle = timed(case, lambda *_: None)
    done = timed(case, process)
    return done._replace(cpu=done.cpu - idle.cpu, times=np.maximum(done.times - np.median(idle.times), 0.0))


def timed(case: Case, process: Callable[[Samples, Samples], object]) -> Round:
    """Run a block processor through the sound, and time each block."""
    result = np.full((len(case.sound), 2), 0, np.float32)  # filled: the first touch of a page is not timed
    times = np.full(len(case.sound) // case.block, 0.0)
    started, cpu = time.perf_counter(), time.process_time()
    for n in range(len(times)):
        part = slice(n * case.block, (n + 1) * case.block)
        if case.paced:
            time.sleep(max(0.0, started + n * case.period - time.perf_counter()))
        begun = time.perf_counter()
        process(case.sound[part], result[part])
        times[n] = time.perf_counter() - begun
    return Round((time.process_time() - cpu) / len(times), times, result)


class Ours:
    """The convolver, built for each round."""

    def __init__(self, fft: BackendName) -> None:
        self._fft: BackendName = fft

    def __call__(self, case: Case) -> Round:
        """Run a round."""
        return in_blocks(case, Convolver(case.response, case.block, fft=self._fft).process)


class Pedalboard:
    """pedalboard.Convolution, which keeps its state between calls with ``reset=False``.

    It is based on JUCE, which scales a response to a sum of squares of 1/64; the null is computed without that scaling.
    """

    def __init__(self) -> None:
        self._board = importlib.import_module("pedalboard")

    def __call__(self, case: Case) -> Round:
        """Run a round; it has no true stereo."""
        if case.response.shape[1] != 2:
            raise NotImplementedError("no true stereo")
        response = np.ascontiguousarray(case.response.T)
        plugin = self._board.Convolution(response, mix=1.0, sample_rate=RATE)
        across = np.ascontiguousarray(case.sound.T)
        places = iter(range(0, across.shape[1], case.block))

        def process(_: Samples, out: Samples) -> None:
            start = next(places)
            out[:] = plugin.process(across[:, start : start + case.block], RATE, case.block, reset=False).T

        cpu, times, result = in_blocks(case, process)
        return Round(cpu, times, result * (8 * float(np.sqrt(np.square(response).sum(axis=1).max()))))


class Zita:
    """zita-convolver, in a separate process."""

    def __init__(self, driver: Path, folder: Path, *, tuned: bool) -> None:
        self._driver, self._folder, self._tuned = driver, folder, tuned

    def __call__(self, case: Case) -> Round:
        """Run a round."""
        rows = case.response.T.astype(np.float32)
        if len(rows) == 2:
            rows = np.stack((rows[0], np.zeros_like(rows[0]), np.zeros_like(rows[0]), rows[1]))
        paths = [self._folder / name for name in ("responses", "input", "output")]
        rows.tofile(paths[0])
        np.ascontiguousarray(case.sound.T).tofile(paths[1])
        blocks, pace = len(case.sound) // case.block, 1e6 * case.period if case.paced else 0
        settings = (int(self._tuned), case.block, 2, 2, rows.shape[1], blocks, pace)
        command = [str(self._driver), *map(str, settings), *map(str, paths)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        result = np.fromfile(paths[2], np.float32).reshape(2, -1).T
        return Round(float(output[0]) / 1e6, np.array(output[1:], float) / 1e6, result)


def offline(case: Case) -> Round:
    """Convolve the whole sound at once, in float32."""
    started = time.process_time()
    result = expected(case.sound, case.response)
    return Round((time.process_time() - started) * case.block / len(case.sound), np.zeros(0), result)


def expected(sound: Samples, response: Samples) -> Samples:
    """Convolve stereo sound with a stereo or a true-stereo response, in their dtype."""
    pairs = [(0, 0), (1, 1)] if response.shape[1] == 2 else [(0, 0), (0, 1), (1, 0), (1, 1)]
    result = np.zeros_like(sound)
    for row, (source, target) in enumerate(pairs):
        result[:, target] += oaconvolve(sound[:, source], response[:, row])[: len(sound)]
    return result


def null_db(actual: Samples, reference: Samples) -> float:
    """Return the peak of the residual ÷ the peak of the reference, in dB."""
    return float(20 * np.log10(np.abs(actual - reference).max() / np.abs(reference).max() + 1e-30))


def find_peers(folder: Path) -> tuple[dict[str, Peer], list[str]]:
    """Return the installed peers, and messages about the missing ones."""
    peers: dict[str, Peer] = {}
    missing = []
    if importlib.util.find_spec("pyfftw"):
        peers["reverb, FFTW"] = Ours("fftw")
    else:
        missing.append("FFTW: pip install pyfftw")
    peers["reverb, no FFTW"] = Ours("pocketfft")
    compiler, driver = shutil.which("g++") or shutil.which("c++"), folder / "zita_driver"
    source = Path(__file__).with_name("zita_driver.cpp")
    libraries = ("-lzita-convolver", "-lfftw3f", "-lpthread")
    built = compiler and subprocess.run(
        [compiler, "-O2", "-o", driver, source, *libraries], capture_output=True
    )
    if built and built.returncode == 0:
        peers["zita, default"] = Zita(driver, folder, tuned=False)
        peers["zita, best"] = Zita(driver, folder, tuned=True)
    else:
        missing.append("zita-convolver: apt-get install g++ libzita-convolver-dev")
    if importlib.util.find_spec("pedalboard"):
        peers["pedalboard"] = Pedalboard()
    else:
        missing.append("pedalboard: pip install pedalboard")
    peers["oaconvolve, whole"] = offline
    return peers, missing


def measure(
    compared: dict[Title, Case], peers: dict[str, Peer], rounds: int
) -> dict[Title, dict[str, Figures]]:
    """Run all peers through all cases in turn, several times."""
    references = {
        title: expected(case.sound.astype(float), case.response.astype(float))
        for title, case in compared.items()
    }
    figures: dict[Title, dict[str, Figures]] = {title: {} for title in compared}
    for _, (title, case), (name, peer) in product(range(rounds), compared.items(), peers.items()):
        try:
            done = peer(case)
        except NotImplementedError:
            continue
        rows = figures[title].setdefault(name, Figures())
        rows.null = null_db(done.result, references[title])
        rows.rounds.append(done._replace(result=np.zeros(0)))
    return figures


def table(case: Case, figures: dict[str, Figures]) -> Iterator[str]:
    """Return the figures of one case as lines of Markdown."""
    base = figures.get("zita, default")
    for name, found in figures.items():
        ratio = found.cpu / base.cpu if base else np.nan
        late = "".join(f" {found.late(percent):7.0f} |" for percent in LATE.values())
        load = found.cpu / case.period / 1e4
        yield f"| {name:17} | {found.cpu:7.1f} | {load:6.2f} |{late} {found.null:6.0f} | {ratio:6.2f} |"


def kept(title: Title, figures: dict[str, Figures]) -> Iterator[Row]:
    """Return the figures of one case as values."""
    for name, found in figures.items():
        late = {key: found.late(percent) for key, percent in LATE.items()}
        yield {**title._asdict(), "peer": name, "cpu_us": found.cpu, **late, "null_db": found.null}


def cases(arguments: argparse.Namespace) -> Iterator[tuple[Title, Case]]:
    """Yield every combination with its title."""
    noise = np.random.default_rng(0)
    for layout in arguments.layouts:
        for seconds in arguments.seconds:
            taps = round(seconds * RATE)
            decay = np.exp(-6.9 * np.arange(taps) / taps)[:, np.newaxis]
            response = (0.02 * noise.standard_normal((taps, LAYOUTS[layout])) * decay).astype(np.float32)
            for block in arguments.blocks:
                frames = round(arguments.sound * RATE) // block * block
                sound = (0.1 * noise.standard_normal((frames, 2))).astype(np.float32)
                yield Title(layout, seconds, block), Case(sound, response, block, arguments.paced)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="stereo, 4 s, blocks of 64 to 512")
    parser.add_argument("--blocks", type=int, nargs="+", default=BLOCKS, metavar="FRAMES")
    parser.add_argument(
        "--seconds", type=float, nargs="+", default=SECONDS, metavar="S", help="response lengths"
    )
    parser.add_argument("--layouts", nargs="+", default=list(LAYOUTS), choices=LAYOUTS)
    parser.add_argument("--sound", type=float, default=5.0, metavar="S", help="seconds of sound in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only peers whose name begins with NAME")
    parser.add_argument("--paced", action="store_true", help="call once per block period")
    parser.add_argument("--plans", action="store_true", help="print our partition plans")
    add_options(parser)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.layouts, arguments.seconds, arguments.blocks = ["stereo"], [4.0], (64, 128, 256, 512)
    with tempfile.TemporaryDirectory() as folder:
        peers, missing = find_peers(Path(folder))
        if arguments.peers:
            peers = {name: peer for name, peer in peers.items() if name.startswith(tuple(arguments.peers))}
        print(this_machine())
        keep(arguments, {"blocks": report(arguments, peers, missing)})


def report(arguments: argparse.Namespace, peers: dict[str, Peer], missing: list[str]) -> list[Row]:
    """Measure and print every case, and return all rows."""
    pace = "one block per block period" if arguments.paced else "as fast as they go"
    print(f"{RATE} Hz, {arguments.sound:g} s of sound, {arguments.rounds} rounds, {pace}")
    for line in missing:
        print(f"missing: {line}")
    rows: list[Row] = []
    compared = dict(cases(arguments))
    for title, figures in measure(compared, peers, arguments.rounds).items():
        case = compared[title]
        print(f"\n## {title}: {1e6 * case.period:.0f} µs per block\n")
        if arguments.plans:
            print(f"{Convolver(case.response, case.block).plan}\n")
        print(
            "| peer              | CPU µs  | load % | p50 µs  | p99     | p99.9   | max     | null dB | ÷ zita |"
        )
        print(
            "|-------------------|---------|--------|---------|---------|---------|---------|--------|--------|"
        )
        for line in table(case, figures):
            print(line)
        rows += kept(title, figures)
    return rows


if __name__ == "__main__":
    main()
