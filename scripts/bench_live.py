"""How callbacks keep their deadline: against a JACK dummy server, with the machine idle and with a busy second thread.

Every row is a session that plays noise through a 4 s response: callback time as a share of the period, and the xruns
that the server counted. The null is what was heard against the offline render of the same run.
"""

import argparse
import os
import platform
import sys
import threading
from pathlib import Path

import numpy as np

import reverb
from reverb.live.portaudio import rescan
from reverb.live.session import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "live"))
from jackd import RATE, JackServer, Rig, UnavailableError, delay_of  # type: ignore[import-not-found]

CHECKED_SECONDS = 10.0


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


def null_db(heard: np.ndarray, sound: np.ndarray, effect: reverb.Reverb) -> float:
    """Return the residual of the first seconds against the offline render, aligned, in dB."""
    frames = min(len(sound), int(CHECKED_SECONDS * RATE))
    want = effect(sound[:frames], RATE)[:frames]
    delay = delay_of(heard[:RATE, 0], want[:RATE, 0], 16_384)
    residual = np.abs(heard[delay:frames] - want[: frames - delay]).max()
    return float(20 * np.log10(max(residual, 1e-12) / np.abs(want).max()))


def measure(rig: Rig, effect: reverb.Reverb, block: int, seconds: float, loaded: bool) -> str:
    """Return one row of the table."""
    rig.client.blocksize = block
    sound = np.random.default_rng(1).uniform(-0.2, 0.2, (int(seconds * RATE), 2)).astype(np.float32)
    stop = threading.Event()
    thread = threading.Thread(target=busy, args=(stop,), daemon=True)
    with Session(effect) as session:
        rig.wire()
        if loaded:
            thread.start()
        heard = rig.play(sound)
        load, xruns = session.stats().load, session.stats().xruns
        stop.set()
    shares = "".join(f"{share:>9.1%}" for share in (load.p50, load.p99, load.p999, load.worst))
    what = "busy thread" if loaded else "idle"
    return f"{block:>5}  {what:<12}{shares}{load.late:>7}{xruns:>7}{null_db(heard, sound, effect):>10.1f}"


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
    print("block  machine           p50      p99    p99.9      max   late  xruns   null dB")
    try:
        rescan()
        rig = Rig()
        effect = reverb.Reverb(response(), mix=0.4)
        for block in options.blocks:
            for loaded in (False, True):
                print(measure(rig, effect, block, options.seconds, loaded), flush=True)
        rig.close()
    finally:
        server.close()


if __name__ == "__main__":
    main()
