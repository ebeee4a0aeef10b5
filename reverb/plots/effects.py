"""Magnitude and decay of an effect, as a figure or as HTML for a notebook."""

import html
import io
from typing import TYPE_CHECKING

import numpy as np

from reverb.arrays import Double
from reverb.effects.effect import HasResponse, check_effect
from reverb.errors import MissingExtraError, ReverbError
from reverb.plots.figures import LIGHT, hertz_axis, new_figure, themed
from reverb.responses.response import ImpulseResponse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_PATHS = 4
_FLOOR_DB = -100.0
_RANGE_DB = 90.0  # of the magnitude, at most
_DECAY_FLOOR_DB = -80.0
_MAX_POINTS = 1200
_SIDES = "LR"


def effect_figure(effect: HasResponse, sample_rate: int) -> "Figure":
    """Draw the magnitude and the decay of an effect's response at `sample_rate` Hz, in its first four paths.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    ParameterError
        If the effect has no response at this sample rate.
    """
    check_effect("effect", effect)
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
    """Return the effect's expression as HTML, with its figure or the reason why it cannot be drawn."""
    expression = f"<pre>{html.escape(repr(effect))}</pre>"
    try:
        figure = effect_figure(effect, sample_rate)
    except MissingExtraError:
        return expression
    except ReverbError as error:
        return f"{expression}<p>{html.escape(str(error))}</p>"
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    text = picture.getvalue()
    return expression + text[text.index("<svg") :]


def _paths(response: ImpulseResponse) -> list[tuple[str, Double]]:
    """Return names and samples of a response's first paths."""
    two = response.wiring.inputs <= 2 and response.wiring.outputs <= 2
    named = []
    for path in response.wiring.paths[:_MAX_PATHS]:
        ends = (_SIDES[end] if two else str(end + 1) for end in (path.input, path.output))
        named.append((" → ".join(ends), response.samples[:, path.response].astype(np.float64)))
    return named


def _magnitude(axes: "Axes", response: ImpulseResponse) -> None:
    size = 1 << max(16, response.frames.bit_length())
    frequencies = np.fft.rfftfreq(size, 1 / response.sample_rate)
    highest = min(20_000.0, response.sample_rate / 2)
    # The loudest bin between two points of the logarithmic axis, so that no peak is lost.
    edges = np.searchsorted(frequencies, np.geomspace(20, highest, _MAX_POINTS))
    starts = np.unique(np.minimum(edges, len(frequencies) - 1))
    loudest = _FLOOR_DB
    for (name, samples), color in zip(_paths(response), LIGHT.lines, strict=False):
        gain = np.maximum.reduceat(np.abs(np.fft.rfft(samples, size)), starts)
        level = 20 * np.log10(np.maximum(gain, 10 ** (_FLOOR_DB / 20)))
        loudest = max(loudest, float(level.max()))
        axes.plot(frequencies[starts], level, color=color, linewidth=1.3, label=name)
    axes.set(title="Magnitude", ylabel="gain (dB)", ylim=(max(loudest - _RANGE_DB, _FLOOR_DB), loudest + 6))
    hertz_axis(axes, 20, highest)


def _decay(axes: "Axes", response: ImpulseResponse) -> None:
    """Draw the remaining energy over time, from before time zero until it is negligible."""
    last = 1
    for (name, samples), color in zip(_paths(response), LIGHT.lines, strict=False):
        energy = np.cumsum(samples[::-1] ** 2)[::-1]
        if energy[0] == 0:
            continue
        level = 10 * np.log10(np.maximum(energy / energy[0], 1e-12))
        last = max(last, int(np.count_nonzero(level > _DECAY_FLOOR_DB)))
        step = max(1, len(level) // _MAX_POINTS)
        milliseconds = (np.arange(0, len(level), step) - response.latency) * 1000 / response.sample_rate
        axes.plot(milliseconds, level[::step], color=color, linewidth=1.3, label=name)
    axes.set(title="Decay", xlabel="time (ms)", ylabel="remaining energy (dB)", ylim=(_DECAY_FLOOR_DB, 3))
    start = -1000 * response.latency / response.sample_rate
    axes.set_xlim(start, max(start + 1, 1000 * (last - response.latency) / response.sample_rate))
