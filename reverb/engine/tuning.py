"""Measuring this machine once: FFTW's plans for files, and the costs by which real-time plans are chosen."""

from collections.abc import Callable
from dataclasses import dataclass

from reverb.engine.fft import FFTW_SIZES, learn_fftw
from reverb.engine.realtime_costs import measure_costs
from reverb.engine.realtime_work import CostModel
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
    costs: dict[str, CostModel]


def tune(progress: Callable[[int, int], None] | None = None, *, thorough: bool = False) -> Tuning:
    """Measure this machine in about half a minute, and keep the results in the user's cache folder.

    Parameters
    ----------
    progress : callable, optional
        Called with the steps done and the steps in all.
    thorough : bool
        Let FFTW search for minutes; its transforms of long rows become up to a fifth quicker.
    """
    backends = ("fftw", "pocketfft")
    steps, done = len(FFTW_SIZES) + len(backends), 0

    def step(_: object = None) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, steps)

    fftw = learn_fftw(step, thorough=thorough)
    costs = {}
    for backend in backends:
        try:
            costs[backend] = measure_costs(backend)
        except MissingExtraError:
            continue
        step()
    return Tuning(fftw, costs)
