"""Comparison of two rooms: their ISO 3382-1 figures, the differences, and whether these are audible."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from reverb.checks import instance
from reverb.responses.acoustics import AcousticReport, BandReport, CorrelationReport

# ISO 3382-1, table A.1: just noticeable differences, in the unit of the figure, or as a share of the first value.
_RELATIVE, _ABSOLUTE = True, False


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two responses in one band.

    Attributes
    ----------
    band, figure, unit : str
    a, b : float
        The figure of each response; NaN if undefined or not reliable.
    change : float
        b − a.
    noticeable : float
        Just noticeable difference, in the same unit.
    """

    band: str
    figure: str
    unit: str
    a: float
    b: float
    change: float
    noticeable: float

    @property
    def audible(self) -> bool:
        """Whether the change exceeds the just noticeable difference; False if it is undefined."""
        return abs(self.change) > self.noticeable

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain values, None for undefined ones."""
        plain = {key: None if value != value else value for key, value in asdict(self).items()}
        return {**plain, "audible": self.audible}


_Get = Callable[[BandReport], float]
_FIGURES: tuple[tuple[str, str, float, bool, _Get], ...] = (
    ("EDT", "s", 0.05, _RELATIVE, lambda band: band.edt.seconds if band.edt.valid else float("nan")),
    ("T20", "s", 0.05, _RELATIVE, lambda band: band.t20.seconds if band.t20.valid else float("nan")),
    ("T30", "s", 0.05, _RELATIVE, lambda band: band.t30.seconds if band.t30.valid else float("nan")),
    ("C50", "dB", 1.0, _ABSOLUTE, lambda band: band.c50),
    ("C80", "dB", 1.0, _ABSOLUTE, lambda band: band.c80),
    ("D50", "%", 5.0, _ABSOLUTE, lambda band: 100 * band.d50),
    ("Ts", "ms", 10.0, _ABSOLUTE, lambda band: 1000 * band.ts),
    ("G re direct", "dB", 1.0, _ABSOLUTE, lambda band: band.strength),
)
_CORRELATIONS: tuple[tuple[str, Callable[[CorrelationReport], float]], ...] = (
    ("IACC early", lambda report: report.early),
    ("IACC late", lambda report: report.late),
)
_IACC_NOTICEABLE = 0.075


def compare(a: AcousticReport, b: AcousticReport) -> tuple[Difference, ...]:
    """Return the differences between two reports: of the means over the channels, in every band of both.

    Returns
    -------
    tuple of Difference
        In the order of the bands of `a`; IACC only if both are stereo.

    Raises
    ------
    ParameterError
        If an argument is not an AcousticReport.
    """
    for name, report in (("a", a), ("b", b)):
        instance(name, report, AcousticReport, "an AcousticReport")
    others = {band.label: band for band in b.mean}
    ears = {report.label: report for report in b.iacc}
    own_ears = {report.label: report for report in a.iacc}
    out = []
    for band in a.mean:
        if band.label not in others:
            continue
        for name, unit, noticeable, relative, get in _FIGURES:
            first, second = get(band), get(others[band.label])
            threshold = noticeable * first if relative else noticeable
            out.append(Difference(band.label, name, unit, first, second, second - first, threshold))
        if band.label in ears and band.label in own_ears:
            for name, pick in _CORRELATIONS:
                first, second = pick(own_ears[band.label]), pick(ears[band.label])
                out.append(Difference(band.label, name, "", first, second, second - first, _IACC_NOTICEABLE))
    return tuple(out)
