"""Figures without a window: light and dark themes, frequency axes, and saving to files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.checks import file_path, flag, instance
from reverb.errors import AudioFileError, ParameterError, missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
_DPI = 150
_HZ_TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True, slots=True)
class Theme:
    """The colors of a picture.

    Attributes
    ----------
    ground, ink, faint : str
        Colors of the background, of text and axes, and of grids and secondary text.
    lines : tuple of str
        Colors of the channels, in order; distinguishable with red-green color blindness.
    heat : str
        Name of matplotlib's color map for spectrograms; its quiet end is close to the background.
    """

    ground: str
    ink: str
    faint: str
    lines: tuple[str, ...]
    heat: str


LIGHT = Theme("#ffffff", "#22262b", "#9aa1ab", ("#c2562d", "#2d6fa3", "#8a7a1d", "#7a4fa3"), "magma_r")
DARK = Theme("#14171b", "#e3e6ea", "#7d8694", ("#f0895c", "#6db3e8", "#d8c552", "#b98ee0"), "magma")


@contextmanager
def themed(theme: Theme) -> Iterator[None]:
    """Apply a theme to all axes created inside the context.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    matplotlib = _matplotlib()
    colors = {
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "legend.facecolor"), theme.ground),
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color"), theme.ink),
        **dict.fromkeys(("ytick.color", "axes.edgecolor"), theme.ink),
        "grid.color": theme.faint,
        "grid.alpha": 0.35,
        "grid.linewidth": 0.6,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 9.5,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
    }
    with matplotlib.rc_context(colors):
        yield


def empty_figure(width: float, height: float) -> "Figure":
    """Return a figure without a window, its size in inches.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    _matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple["Figure", Any]:
    """Return a figure without a window, its size in inches, and its axes.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figure = empty_figure(width, height)
    return figure, figure.subplots(rows, columns)


def save(figure: "Figure", path: PathLike, *, overwrite: bool = True) -> None:
    """Write a figure as PNG, SVG or PDF, according to the name's ending.

    Raises
    ------
    AudioFileError
        If the file exists and `overwrite` is false, or cannot be written.
    ParameterError
        If the name has another ending, or an argument another type.
    """
    _matplotlib()
    from matplotlib.figure import Figure

    path = file_path("path", path)
    flag("overwrite", overwrite)
    instance("figure", figure, Figure)
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ParameterError(f"{path}: the ending is {ending!r}; expected {' or '.join(ENDINGS)}")
    with whole_or_nothing(path, overwrite) as temporary:
        try:
            figure.savefig(temporary, dpi=_DPI, format=ending[1:], facecolor=figure.get_facecolor())
        except OSError as error:
            raise AudioFileError(f"{path}: cannot be written ({error.strerror or error})") from error


def hz_ticks(axis: Any) -> None:
    """Label a logarithmic axis at the usual round frequencies."""
    axis.set_ticks(_HZ_TICKS, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in _HZ_TICKS])
    axis.set_ticks([], minor=True)


def hertz_axis(axes: "Axes", low: float, high: float, *, vertical: bool = False) -> None:
    """Make an axis a logarithmic frequency axis from `low` to `high` Hz."""
    if vertical:
        axes.set(yscale="log", ylabel="frequency (Hz)")
        hz_ticks(axes.yaxis)
        axes.set_ylim(low, high)
    else:
        axes.set(xscale="log", xlabel="frequency (Hz)")
        hz_ticks(axes.xaxis)
        axes.set_xlim(low, high)


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise missing_extra("plot", "pictures need matplotlib") from error
    return matplotlib
