"""Compiled modules without their packages: one copy, by its true name, for whichever thread and import asks first."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from reverb.engine.compiled import load_compiled
from tests.conftest import ROOT

CONVOLVE = """
import numpy as np, reverb
x = np.random.default_rng(0).standard_normal(2000)
assert np.allclose(reverb.convolve(x, x[:500]), np.convolve(x, x[:500]))
reverb.Convolver(x[:500], 64)
"""
ALL_OF_SCIPY = """
import importlib, scipy
for name in scipy.__all__:
    value = getattr(scipy, name)
import scipy.fft, scipy.signal
assert np.allclose(scipy.fft.irfft(scipy.fft.rfft(x), 2000), x)
"""
SAME = """
from reverb.engine.fft import pocketfft
module = pocketfft()
assert module is not None, scipy.__version__
place = module.__name__.split(".")
assert getattr(importlib.import_module(".".join(place[:-1])), place[-1]) is module
assert sys.modules[module.__name__] is module
"""
FFTW_AND_ALL = """
import pyfftw
from reverb.engine import fftw
assert fftw.planner()._module is pyfftw.pyfftw is sys.modules["pyfftw.pyfftw"]
assert pyfftw.FFTW(pyfftw.empty_aligned(8, "complex64"), pyfftw.empty_aligned(8, "complex64")) is not None
"""
TOGETHER = """
import threading
import numpy as np
from concurrent.futures import ThreadPoolExecutor
# The imports are done: the race is for the first use.
from reverb.engine import fft, fftw, machine, routing
from reverb.engine.convolve import convolve
from reverb.engine.offline import convolver
from reverb.engine.realtime.convolver import RealtimeConvolver
convolver.LARGE = 0  # FFTW for short work, too
sys.setswitchinterval(0.0005)
x, h = np.random.default_rng(0).standard_normal((2, 3000)).astype(np.float32)
expected = np.convolve(x.astype(float), h.astype(float))
barrier = threading.Barrier(8)

def first_use(number):
    barrier.wait()
    if number == 7:
        {beside}
    if number % 2:
        RealtimeConvolver(h[None], routing.each(1), 64)
    planner = fftw.planner()
    y = convolve(x, h)
    return planner, fft.pocketfft(), machine.here().fftw_sizes, np.abs(y - expected).max() < 1e-2

with ThreadPoolExecutor(8) as threads:
    found = list(threads.map(first_use, range(8)))
assert all(f[0] is found[0][0] and f[1] is found[0][1] and f[2] == {sizes} and f[3] for f in found), found
"""


def child(code: str, cache: Path) -> None:
    """Run code in a new interpreter, which has to end as it should: a corrupted heap shows at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", "import sys, importlib\n" + code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "code",
    [
        CONVOLVE + ALL_OF_SCIPY + SAME,
        "import numpy as np\nx = np.ones(2000)" + ALL_OF_SCIPY + CONVOLVE + SAME,
        "import scipy.fft" + CONVOLVE + ALL_OF_SCIPY + SAME,
    ],
    ids=["ours first", "SciPy first", "its FFT first"],
)
def test_scipy_is_imported_beside_its_compiled_fft(code: str, tmp_path: Path) -> None:
    child(code, tmp_path)


@pytest.mark.skipif(find_spec("pyfftw") is None, reason="pyfftw is not installed")
@pytest.mark.parametrize("code", [CONVOLVE + FFTW_AND_ALL, FFTW_AND_ALL + CONVOLVE])
def test_pyfftw_is_imported_beside_its_compiled_module(code: str, tmp_path: Path) -> None:
    child(code, tmp_path)


def test_first_use_in_eight_threads_in_twenty_processes(tmp_path: Path) -> None:
    with_fftw = find_spec("pyfftw") is not None
    learn = """
from reverb.engine import fftw, machine, tuning
fftw.SIZES = (1 << 15,)
digest = tuning.learn_fftw()
assert bool(digest) == {}
machine.save(machine.Machine(fftw_sizes=fftw.SIZES, fftw_digest=digest))
"""
    child(learn.format(with_fftw), tmp_path)
    beside = {
        0: "import pyfftw" if with_fftw else "pass",
        5: "import scipy.fft",
    }  # one slow import in each tenth
    sizes = (1 << 15,) if with_fftw else ()
    codes = [TOGETHER.format(beside=beside.get(n % 10, "pass"), sizes=sizes) for n in range(20)]
    with ThreadPoolExecutor(2) as processes:
        list(processes.map(lambda code: child(code, tmp_path), codes))


def test_what_is_not_there_is_none() -> None:
    assert load_compiled("no_such_package.module") is None
    assert load_compiled("scipy.fft.no_such_module") is None


def test_a_blocked_package_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyfftw", None)
    assert load_compiled("pyfftw.pyfftw") is None
