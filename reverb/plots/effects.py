"""What an effect does: its magnitude and its decay, as a figure, or as HTML in a notebook."""

import html
import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reverb.effects.effect import HasResponse
from reverb.errors import MissingExtraError, ReverbError
from reverb.plots.figures import LIGHT, hertz_axis, new_figure, themed
from reverb.responses.response import ImpulseResponse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PATHS = 4
_FLOOR_DB = -100.0
_DECAY_FLOOR_DB = -80.0
_POINTS = 1200
_SIDES = "LR"


def effect_figure(effect: HasResponse, sample_rate: int) -> "Figure":
    """Draw the magnitude and the decay of an effect's response at `sample_rate` Hz.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    response = effect.response(sample_rate)
    with themed(LIGHT):
        figure, (left, right) = new_figure(10, 3.4, 1, 2)
        _magnitude(left, response)
        _decay(right, response)
        for axes in (left, right):
            if response.channels > 1:
                axes.legend(loc="best", fontsize="small")
    return figure


def effect_html(effect: HasResponse, sample_rate: int) -> str:
    """Return the effect as it is written, with its figure, or the reason why there is none."""
    written = f"<pre>{html.escape(repr(effect))}</pre>"
    try:
        figure = effect_figure(effect, sample_rate)
    except MissingExtraError:
        return written
    except ReverbError as error:
        return f"{written}<p>{html.escape(str(error))}</p>"
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    text = picture.getvalue()
    return written + text[text.index("<svg") :]


def _paths(response: ImpulseResponse) -> list[tuple[str, npt.NDArray[np.float64]]]:
    """Return the first paths of a response with their names."""
    two = response.wiring.inputs <= 2 and response.wiring.outputs <= 2
    named = []
    for path in response.wiring.paths[:_MOST_PATHS]:
        ends = (_SIDES[end] if two else str(end + 1) for end in (path.input, path.output))
        named.append((" → ".join(ends), response.samples[:, path.response].astype(np.float64)))
    return named


def _magnitude(axes: "Axes", response: ImpulseResponse) -> None:
    size = 1 << max(16, response.frames.bit_length())
    frequencies = np.fft.rfftfreq(size, 1 / response.sample_rate)
    highest = min(20_000.0, response.sample_rate / 2)
    # The loudest of neighbouring bins on a logarithmic axis, so that no peak is lost.
    edges = np.searchsorted(frequencies, np.geomspace(20, highest, _POINTS))
    starts = np.unique(np.minimum(edges, len(frequencies) - 1))
    loudest = _FLOOR_DB
    for (name, samples), colour in zip(_paths(response), LIGHT.lines, strict=False):
        gain = np.maximum.reduceat(np.abs(np.fft.rfft(samples, size)), starts)
        level = 20 * np.log10(np.maximum(gain, 10 ** (_FLOOR_DB / 20)))
        loudest = max(loudest, float(level.max()))
        axes.plot(frequencies[starts], level, color=colour, linewidth=1.3, label=name)
    axes.set(title="Magnitude", ylabel="gain (dB)", ylim=(max(loudest - 90, _FLOOR_DB), loudest + 6))
    hertz_axis(axes, 20, highest)


def _decay(axes: "Axes", response: ImpulseResponse) -> None:
    """Draw the energy that is still to come, from before time zero to where it can be neglected."""
    last = 1
    for (name, samples), colour in zip(_paths(response), LIGHT.lines, strict=False):
        energy = np.cumsum(samples[::-1] ** 2)[::-1]
        if energy[0] == 0:
            continue
        level = 10 * np.log10(np.maximum(energy / energy[0], 1e-12))
        last = max(last, int(np.count_nonzero(level > _DECAY_FLOOR_DB)))
        step = max(1, len(level) // _POINTS)
        milliseconds = (np.arange(0, len(level), step) - response.latency) * 1000 / response.sample_rate
        axes.plot(milliseconds, level[::step], color=colour, linewidth=1.3, label=name)
    axes.set(title="Decay", xlabel="time (ms)", ylabel="energy to come (dB)", ylim=(_DECAY_FLOOR_DB, 3))
    start = -1000 * response.latency / response.sample_rate
    axes.set_xlim(start, max(start + 1, 1000 * (last - response.latency) / response.sample_rate))
