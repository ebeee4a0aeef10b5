"""How callbacks keep their deadline: against a JACK dummy server, with the machine idle and with a busy second thread.

Every row is a session that plays noise through a 4 s response: callback time as a share of the period, and the blocks
that PortAudio flagged. The null is what a second client heard of 5 s at this block size against the offline render;
that client is written in Python too, so it is gone while the rows are measured.
"""

import argparse
import os
import platform
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import reverb
from reverb.live.portaudio import rescan
from reverb.live.session import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "live"))
from jackd import RATE, JackServer, Rig, UnavailableError, delay_of  # type: ignore[import-not-found]

CHECKED_SECONDS = 5.0


def response(seconds: float = 4.0) -> reverb.ImpulseResponse:
    """Return decaying stereo noise with a direct sound."""
    n = np.arange(int(seconds * RATE))
    samples = np.random.default_rng(0).standard_normal((len(n), 2)) * np.exp(-6.9 * n / len(n))[:, np.newaxis]
    samples[0] = 4.0
    return reverb.ImpulseResponse(samples.astype(np.float32), RATE, "bench")


def busy(stop: threading.Event) -> None:
    """Burn the interpreter as a careless thread would."""
    while not stop.is_set():
        sum(i * i for i in range(1000))


def null_db(effect: reverb.Reverb, sound: Any, block: int) -> float:
    """Set the server's block size; return the residual of what a session plays against the offline render, in dB."""
    rig = Rig()
    rig.client.blocksize = block
    with Session(effect):
        rig.wire()
        heard = rig.play(sound)
    rig.close()
    want = effect(sound, RATE)[: len(sound)]
    delay = delay_of(heard[:RATE, 0], want[:RATE, 0])
    residual = np.abs(heard[delay:] - want[: len(want) - delay]).max()
    return float(20 * np.log10(max(residual, 1e-12) / np.abs(want).max()))


def measure(effect: reverb.Reverb, noise: Path, seconds: float, loaded: bool) -> str:
    """Return one row of the table, without the null."""
    stop = threading.Event()
    thread = threading.Thread(target=busy, args=(stop,), daemon=True)
    with Session(effect, input_file=noise, loop=True) as session:
        if loaded:
            thread.start()
        session.wait(seconds)
        stats = session.stats()
        stop.set()
    load = stats.load
    shares = "".join(f"{share:>9.1%}" for share in (load.p50, load.p99, load.p999, load.worst))
    what = "busy thread" if loaded else "idle"
    return f"{stats.block_size:>5}  {what:<12}{shares}{load.callbacks:>11}{load.late:>7}{stats.xruns:>7}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="per row")
    parser.add_argument("--blocks", type=int, nargs="+", default=[64, 128, 256])
    options = parser.parse_args()
    try:
        server = JackServer()
    except UnavailableError as missing:
        sys.exit(f"bench_live: {missing}")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(
        f"{machine}, Python {platform.python_version()}, NumPy {np.__version__}; "
        f"{options.seconds:g} s a row, 4 s response, stereo, {RATE} Hz\n"
    )
    print("block  machine           p50      p99    p99.9      max  callbacks   late  xruns   null dB")
    effect = reverb.Reverb(response(), mix=0.4)
    sound = np.random.default_rng(1).uniform(-0.2, 0.2, (int(CHECKED_SECONDS * RATE), 2)).astype(np.float32)
    try:
        rescan()
        with tempfile.TemporaryDirectory() as folder:
            noise = Path(folder) / "noise.wav"
            soundfile.write(noise, sound, RATE, "FLOAT")
            for block in options.blocks:
                null = null_db(effect, sound, block)
                for loaded in (False, True):
                    print(f"{measure(effect, noise, options.seconds, loaded)}{null:>10.1f}", flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
