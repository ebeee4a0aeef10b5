"""Measuring this machine once: FFTW's plans for files, and the costs by which real-time plans are chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from reverb.engine.fft import FFTW_SIZES, fftw_sizes, learn_fftw, pocketfft
from reverb.engine.fft_plans import BackendName, backend
from reverb.engine.fftw import planner
from reverb.engine.machine import measure_costs
from reverb.engine.realtime.schedule import CostModel
from reverb.errors import MissingExtraError


@dataclass(frozen=True)
class Tuning:
    """What was measured.

    Attributes
    ----------
    fftw : bool
        Whether FFTW is installed; then files of some length are rendered with it from now on.
    costs : dict of CostModel
        Of each backend of real-time FFTs that is installed.
    """

    fftw: bool
    costs: dict[BackendName, CostModel]


def tune(progress: Callable[[int, int], None] | None = None, *, thorough: bool = False) -> Tuning:
    """Measure this machine in about half a minute, and keep the results in the user's cache folder.

    Parameters
    ----------
    progress : callable, optional
        Called with the steps done and the steps in all.
    thorough : bool
        Let FFTW search for minutes; its transforms of long rows become up to a fifth quicker.
    """
    backends: tuple[BackendName, ...] = ("fftw", "pocketfft") if pocketfft() else ("fftw", "numpy")
    steps, done = len(FFTW_SIZES) + len(backends), 0

    def step(_: object = None) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, steps)

    fftw = learn_fftw(step, thorough=thorough)
    costs = {}
    for name in backends:
        try:
            costs[name] = measure_costs(name)
        except MissingExtraError:
            continue
        step()
    return Tuning(fftw, costs)


def fft_in_use() -> dict[str, str]:
    """Return which FFT serves live sound and which serves files, with versions, in words for people."""
    compiled = pocketfft()
    scipy = f"SciPy {version('scipy')}"
    names = {
        "fftw": "FFTW" if planner() is None else f"FFTW (pyFFTW {version('pyfftw')})",
        "pocketfft": f"PocketFFT ({scipy}, {compiled.__name__.rpartition('.')[2]})" if compiled else "",
        "numpy": f"NumPy {version('numpy')}, twice as slow: {scipy} has no compiled FFT of a known form",
    }
    files = names["pocketfft"] or f"scipy.fft ({scipy}, through its public functions)"
    if learnt := len(fftw_sizes(4)):
        files += f", and {names['fftw']} for {learnt} lengths of rows that `reverb tune` has measured"
    return {"live sound": names[backend().name], "files": files}
