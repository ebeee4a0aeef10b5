"""Measure how live sound meets its deadlines with a JACK dummy server: idle, with a busy thread, and with changes.

- ``bare`` is a stream whose callback only copies its input: its flagged blocks are caused by the machine.
- ``idle`` and ``busy`` play noise through a 4 s response. They measure callback times as shares of the period,
  callbacks longer than a period, and blocks flagged by PortAudio; ``busy`` runs beside a thread of pure Python that
  never pauses.
- ``heard`` plays noise from another program, a JACK client, through a session and back, three times: the null against
  the offline render, and the xruns reported by the server, in turn with those of a bare stream and of jconvolver, the
  C++ convolver for JACK, if it is installed (apt-get install jconvolver).
- ``moving`` changes the response ten times per second, switches bypass on and off, and sends 1,000 OSC messages per
  second, after the same time without changes: the largest step between samples, its bound, and the flagged blocks.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from benchmarks.results import Row, add_options, keep, this_machine

import reverb
from reverb.live import scheduling
from reverb.live.cards import rescan
from reverb.live.meters import Xruns
from reverb.live.session import Session
from reverb.live.settings import LiveSettings, decide
from reverb.live.stream import CardStream

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "live"))
from jackd import RATE, DistantRig, JackServer, UnavailableError, delay_of  # type: ignore[import-not-found]
from moving import jump_bound, largest_jump, restless  # type: ignore[import-not-found]

TURNS = 3
KINDS = ("bare", "heard", "idle", "busy", "moving")
HEADER = "block  machine         p50      p99    p99.9      max  callbacks   late  flagged"


def response(seconds: float, seed: int = 0) -> reverb.ImpulseResponse:
    """Return decaying stereo noise with a direct sound."""
    n = np.arange(int(seconds * RATE))
    decay = np.exp(-6.9 * n / len(n))[:, np.newaxis]
    samples = np.random.default_rng(seed).standard_normal((len(n), 2)) * decay
    samples[0] = 4.0
    return reverb.ImpulseResponse(samples.astype(np.float32), RATE, f"room {seed}")


def noise(seconds: float) -> Any:
    """Return stereo noise, (frames, 2)."""
    return np.random.default_rng(1).uniform(-0.2, 0.2, (int(seconds * RATE), 2)).astype(np.float32)


def tone(seconds: float) -> Any:
    """Return a sine that fades in, (frames, 2)."""
    n = np.arange(int(seconds * RATE))
    wave = 0.2 * np.sin(2 * np.pi * 440 * n / RATE) * np.minimum(1.0, n / (0.2 * RATE))
    return np.column_stack([wave, wave]).astype(np.float32)


@contextmanager
def passing_on() -> Iterator[Xruns]:
    """Keep a stream open that only copies its input; its flagged blocks are caused by the machine."""
    xruns = Xruns()

    def callback(indata: Any, outdata: Any, frames: int, status: Any) -> None:  # noqa: ARG001  # as PortAudio calls
        xruns.add(status)
        outdata[:] = indata

    with scheduling.low_latency():
        stream = CardStream(decide(LiveSettings()).stream, callback)
        stream.start()
        time.sleep(0.5)
        xruns.reset()
        yield xruns
        stream.close()


@contextmanager
def jconvolver(room: reverb.ImpulseResponse, block: int) -> Iterator[str]:
    """Run the C++ convolver for JACK with the same room, and yield a pattern for its client name."""
    name = "jconvolver"
    with tempfile.TemporaryDirectory() as folder:
        soundfile.write(Path(folder) / "room.wav", room.samples, RATE, "FLOAT")
        lines = [f"/cd {folder}", f"/convolver/new 2 2 {block} {room.frames}"]
        lines += [f"/impulse/read {n} {n} 1 0 0 0 {n} room.wav" for n in (1, 2)]
        (Path(folder) / "room.conf").write_text("\n".join([*lines, ""]))
        program = subprocess.Popen(
            [name, "-N", name, str(Path(folder) / "room.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while f"{name}:" not in subprocess.run(["jack_lsp"], capture_output=True, text=True).stdout:
                assert program.poll() is None, f"{name} does not run"
                time.sleep(0.1)
            time.sleep(0.5)
            yield name
        finally:
            program.terminate()
            program.wait()


def bare(block: int, seconds: float) -> Row:
    """Count the flagged blocks of a stream that only copies."""
    with passing_on() as xruns:
        time.sleep(seconds)
        flagged = xruns.blocks
    print(f"{block:>5}  bare: {flagged} flagged", flush=True)
    return {"block": block, "seconds": seconds, "flagged": flagged}


def heard(block: int, seconds: float) -> Row:
    """Play noise through a session; compare the result with the offline render, and its xruns with those of others."""
    room, sound, rig = response(4.0), noise(seconds), DistantRig()
    effect = reverb.Reverb(room, mix=0.4)
    xruns: Counter[str] = Counter()

    def play(who: str) -> Any:
        before = rig.xruns
        back = rig.play(sound)
        xruns[who] += rig.xruns - before
        return back

    for _ in range(TURNS):
        with passing_on():
            rig.wire()
            play("bare")
        with Session(effect):
            rig.wire()
            back = play("reverb")
        if shutil.which("jconvolver"):
            with jconvolver(room, block) as name:
                rig.wire(name)
                play("jconvolver")
    rig.close()
    want = effect(sound, RATE)[: len(sound)]
    delay = delay_of(back[:RATE, 0], want[:RATE, 0])
    residual = np.abs(back[delay:] - want[: len(want) - delay]).max() / np.abs(want).max()
    null = 20 * np.log10(max(float(residual), 1e-12))
    told = ", ".join(f"{who} {count}" for who, count in xruns.items())
    print(f"{block:>5}  heard: null {null:.1f} dB at a delay of {delay} frames, xruns: {told}", flush=True)
    counted = {f"xruns_{who}": count for who, count in xruns.items()}
    return {"block": block, "seconds": TURNS * seconds, "null_db": null, "delay": delay, **counted}


def deadline(block: int, seconds: float, *, busy: bool) -> Row:
    """Time the callbacks of a session, with and without a busy Python thread."""
    stop = threading.Event()

    def burn() -> None:
        while not stop.is_set():
            sum(i * i for i in range(1000))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.wav"
        soundfile.write(path, noise(5.0), RATE, "FLOAT")
        with Session(reverb.Reverb(response(4.0), mix=0.4), input_file=path, loop=True) as session:
            if busy:
                threading.Thread(target=burn, daemon=True).start()
            session.wait(seconds)
            stats = session.stats()
            stop.set()
    load = stats.load
    shares = {"p50": load.p50, "p99": load.p99, "p999": load.p999, "max": load.worst}
    counts = {"callbacks": load.callbacks, "late": load.late, "flagged": stats.xruns}
    kind = "busy thread" if busy else "idle"
    row = "".join(f"{share:>9.1%}" for share in shares.values())
    print(f"{block:>5}  {kind:<12}{row}{load.callbacks:>11}{load.late:>7}{stats.xruns:>9}", flush=True)
    return {"block": block, "seconds": seconds, "machine": kind, **shares, **counts}


def moving(block: int, seconds: float) -> Row:
    """Change a session all the time, after the same time without changes."""
    rooms, sound, rig = [response(1.0 + 0.3 * k, k) for k in range(3)], tone(seconds), DistantRig()
    # The feedback guard takes a single rising tone for a howl.
    with Session(reverb.Reverb(rooms[0], mix=0.5), responses=rooms, feedback_guard=False) as session:
        rig.wire()
        counts = [session.stats().xruns]
        rig.play(sound)
        counts.append(session.stats().xruns)
        with restless(session, session.responses) as osc:
            back = rig.play(sound)
            counts.append(session.stats().xruns)
    rig.close()
    jump, bound = largest_jump(back), jump_bound(sound, back, rooms, RATE)
    at_rest, flagged = counts[1] - counts[0], counts[2] - counts[1]
    print(
        f"{block:>5}  moving: {osc.received} messages, largest step {jump:.4f} (click from {bound:.4f}), "
        f"{flagged} flagged ({at_rest} at rest)",
        flush=True,
    )
    steps = {"largest_step": jump, "click_from": bound}
    counted = {"messages": osc.received, "flagged": flagged, "flagged_at_rest": at_rest}
    return {"block": block, "seconds": seconds, **steps, **counted}


def measure(kind: str, block: int, seconds: float) -> Row:
    """Print and return one row."""
    if kind == "bare":
        return bare(block, seconds)
    if kind == "heard":
        return heard(block, seconds)
    if kind == "moving":
        return moving(block, seconds)
    return deadline(block, seconds, busy=kind == "busy")


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="per row of bare, idle and busy  [default: 60]"
    )
    parser.add_argument(
        "--played", type=float, default=20.0, help="per row of heard and moving  [default: 20]"
    )
    parser.add_argument("--blocks", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    add_options(parser)
    options = parser.parse_args()
    print(f"{this_machine()}; {RATE} Hz, stereo\n{HEADER}")
    tables: dict[str, list[Row]] = {}
    for block in options.blocks:
        try:
            server = JackServer(block)
        except UnavailableError as missing:
            sys.exit(f"bench_live: {missing}")
        try:
            rescan()
            for kind in options.kinds:
                seconds = options.seconds if kind in ("bare", "idle", "busy") else options.played
                table = "deadlines" if kind in ("idle", "busy") else kind
                tables.setdefault(table, []).append(measure(kind, block, seconds))
        finally:
            server.close()
    keep(options, tables)


if __name__ == "__main__":
    main()
