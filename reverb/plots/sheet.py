"""Five pictures of a response on one page: waveform, decay, spectrogram, decay times, frequency response."""

from typing import TYPE_CHECKING, Any

import numpy as np

from reverb.arrays import Double
from reverb.checks import flag, in_range, instance
from reverb.errors import ParameterError, shown
from reverb.plots.figures import DARK, LIGHT, Theme, empty_figure, hertz_axis, themed
from reverb.plots.outlines import smoothed
from reverb.responses.acoustics import AcousticReport, measure
from reverb.responses.decay.decay import DecayTime, EnergyDecay, energy_decay
from reverb.responses.response import ImpulseResponse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_CHANNELS = 4
_SMOOTHING_OCTAVES = 1 / 6
_MAX_COLUMNS = 1500
_VISIBLE = 0.003  # of the peak, about a line's width
_CHANNEL_NAMES = {"stereo": ("left", "right"), "true-stereo": ("L to L", "L to R", "R to L", "R to R")}


def sheet(
    response: ImpulseResponse, *, dark: bool = False, dynamic_range: float = 80.0, title: str | None = None
) -> "Figure":
    """Draw a response on a page of 12 × 9 inches.

    Parameters
    ----------
    response : ImpulseResponse
        Its first four channels are drawn; the spectrogram shows the loudest of them.
    dark : bool
        Draw on a dark background.
    dynamic_range : float
        Of the decay and the spectrogram in dB, 20 to 160.
    title : str, optional
        By default the response's name.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InvalidAudioError
        If a channel is silent.
    ParameterError
        If `dynamic_range` is out of range, or an argument has another type.
    """
    instance("response", response, ImpulseResponse, "an ImpulseResponse")
    if title is not None and not isinstance(title, str):
        raise ParameterError(
            f"title is {shown(repr(title))}; expected a text, or None for the response's name"
        )
    flag("dark", dark)
    in_range("dynamic_range", dynamic_range, 20, 160, "dB")
    theme = DARK if dark else LIGHT
    samples = np.asarray(response.samples[:, :_MAX_CHANNELS], np.float64)
    rate, zero = response.sample_rate, response.latency
    report = measure(samples, rate)
    broadband = measure(samples, rate, bands="broadband")
    names = _CHANNEL_NAMES.get(response.layout, tuple(str(n + 1) for n in range(_MAX_CHANNELS)))
    loudest = int(np.argmax(np.sum(samples**2, axis=0)))
    with themed(theme):
        figure = empty_figure(12, 9)
        grid = figure.add_gridspec(3, 2, height_ratios=(0.8, 1.1, 1.1))
        figure.suptitle(_title(response, broadband, title), fontsize=12, x=0.01, ha="left")
        waveform(figure.add_subplot(grid[0, :]), samples, rate, zero, theme, names)
        decay_curves(figure.add_subplot(grid[1, 0]), samples, rate, broadband, theme, names, dynamic_range)
        spectrogram(figure.add_subplot(grid[1, 1]), samples[:, loudest], rate, zero, theme, dynamic_range)
        decay_times(figure.add_subplot(grid[2, 0]), report, theme)
        magnitude(figure.add_subplot(grid[2, 1]), samples, rate, theme, names)
    return figure


def waveform(
    axes: "Axes", samples: Double, rate: int, zero: int, theme: Theme, names: tuple[str, ...]
) -> None:
    """Draw minimum and maximum of channels (frames, channels), one above the other, for as long as they are visible."""
    count = samples.shape[1]
    size = np.abs(samples).max(axis=1)
    end = int(np.flatnonzero(size > _VISIBLE * size.max())[-1]) + 1
    scaled = samples[: min(end + rate // 50, len(samples))] / size.max()
    # On a linear scale only the direct sound would be visible.
    scaled = np.sign(scaled) * np.sqrt(np.abs(scaled))
    step = max(1, len(scaled) // _MAX_COLUMNS)
    moments = scaled[: len(scaled) // step * step].reshape(-1, step, count)
    times = (np.arange(len(moments)) * step - zero) / rate
    for channel, color in zip(range(count), theme.lines, strict=False):
        low, high = (extreme(moments[:, :, channel], axis=1) - 2 * channel for extreme in (np.min, np.max))
        axes.fill_between(times, low, high, color=color, linewidth=0.8)
    axes.set(
        title="Waveform (square-root scale)",
        xlabel="time (s)",
        ylabel="amplitude",
        ylim=(0.9 - 2 * count, 1.1),
    )
    axes.set_yticks([-2 * channel for channel in range(count)], names[:count] if count > 1 else ["0"])
    axes.set_xlim(times[0], max(times[-1], times[0] + 1 / rate))


def decay_curves(
    axes: "Axes",
    samples: Double,
    rate: int,
    report: AcousticReport,
    theme: Theme,
    names: tuple[str, ...],
    dynamic_range: float,
) -> None:
    """Draw noise-compensated energy decay curves, and the lines fitted to the first one for its decay times."""
    longest, deepest, flattest = 0.01, 10.0, -np.inf
    for channel, color in zip(range(samples.shape[1]), theme.lines, strict=False):
        decay = energy_decay(samples[:, channel], rate)
        visible = int(np.count_nonzero(decay.level > -dynamic_range))
        longest = max(longest, visible / rate)
        deepest = max(deepest, float(-decay.level[visible - 1]))
        flattest = max(flattest, float(decay.level[visible - 1]))
        step = max(1, visible // _MAX_COLUMNS)
        times = np.arange(0, visible, step) / rate
        label = names[channel] if samples.shape[1] > 1 else None
        axes.plot(times, decay.level[:visible:step], color=color, linewidth=1.6, label=label)
    # Scaled to the deepest curve, so that one that reaches the noise early fills the picture, too.
    depth = min(dynamic_range, 10 * np.ceil(deepest / 10))
    first, times_of = energy_decay(samples[:, 0], rate), report.channels[0].bands[0]
    for name, found, ends, style in (
        ("EDT", times_of.edt, (0, 10), ":"),
        ("T20", times_of.t20, (5, 25), "--"),
        ("T30", times_of.t30, (5, 35), "-."),
    ):
        _fit(axes, first, rate, found, ends, name, style, theme, depth)
    through = f", lines through {names[0]}" if samples.shape[1] > 1 else ""
    axes.set(title=f"Energy decay{through}", xlabel="time after the direct sound (s)", ylabel="level (dB)")
    axes.set(xlim=(0, longest), ylim=(-depth, 0.04 * depth))
    if axes.get_legend_handles_labels()[0]:
        high = flattest > -0.5 * depth  # then there is room for the legend below the curve
        axes.legend(
            loc="lower left" if high else "upper right", frameon=True, framealpha=0.85, edgecolor="none"
        )


def _fit(
    axes: "Axes",
    decay: EnergyDecay,
    rate: int,
    found: DecayTime,
    ends: tuple[int, int],
    name: str,
    style: str,
    theme: Theme,
    depth: float,
) -> None:
    """Draw the line of one decay time, down to the bottom of the picture; none if it could not be measured."""
    if not np.isfinite(found.seconds):
        return
    first, last = (int(np.argmax(decay.level <= -end)) for end in ends)
    # A least-squares line passes through the mean of its points.
    middle, level = (first + last) / 2 / rate, float(decay.level[first : last + 1].mean())
    fall = np.array([0, -depth])
    times = middle + (level - fall) * found.seconds / 60
    doubt = "" if found.valid else ", unreliable"
    axes.plot(
        times, fall, style, color=theme.ink, linewidth=1.0, label=f"{name} {found.seconds:.2f} s{doubt}"
    )


def spectrogram(
    axes: "Axes", samples: Double, rate: int, zero: int, theme: Theme, dynamic_range: float
) -> None:
    """Draw the spectrogram of one channel, in dB below its maximum."""
    from matplotlib.mlab import specgram

    size = int(2 ** np.clip(round(np.log2(rate * 0.03)), 6, 12))
    padded = np.pad(samples, (size // 2, max(size, size * 4 - len(samples))))
    hop = max(size // 8, len(padded) // 900)
    power, frequencies, times = specgram(padded, size, rate, noverlap=max(size - hop, 0), pad_to=2 * size)
    density = np.asarray(power)
    level = 10 * np.log10(np.maximum(density / density.max(), 10 ** (-dynamic_range / 10)))
    mesh = axes.pcolormesh(
        np.asarray(times) - (size // 2 + zero) / rate,
        frequencies,
        level,
        cmap=theme.heat,
        vmin=-dynamic_range,
        vmax=0,
        shading="nearest",
        rasterized=True,
    )
    axes.set(title="Spectrogram", xlabel="time (s)")
    axes.set_xlim(-zero / rate, (len(samples) - zero) / rate)
    hertz_axis(axes, max(50.0, 1.5 * rate / size), min(20_000, rate / 2), vertical=True)
    axes.grid(False)
    bar: Any = axes.figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label("level (dB)")
    bar.outline.set_visible(False)


def decay_times(axes: "Axes", report: AcousticReport, theme: Theme) -> None:
    """Draw the mean decay times per octave, with hollow marks for unreliable ones."""
    places = np.arange(len(report.mean))
    highest = 0.0
    series: tuple[tuple[str, list[DecayTime], str, str], ...] = (
        ("EDT", [band.edt for band in report.mean], "v", theme.faint),
        ("T20", [band.t20 for band in report.mean], "o", theme.lines[1]),
        ("T30", [band.t30 for band in report.mean], "s", theme.lines[0]),
    )
    for label, found, mark, color in series:
        seconds = np.array([time.seconds for time in found])
        valid = np.array([time.valid for time in found])
        finite = seconds[np.isfinite(seconds)]
        highest = max(highest, float(finite.max(initial=0)))
        axes.plot(places, seconds, color=color, linewidth=1.2, zorder=2)
        axes.plot(places[valid], seconds[valid], mark, color=color, label=label, zorder=3)
        axes.plot(places[~valid], seconds[~valid], mark, color=color, markerfacecolor=theme.ground, zorder=3)
    axes.plot([], [], "o", color=theme.faint, markerfacecolor=theme.ground, label="unreliable")
    centres = [band.centre or 0.0 for band in report.mean]
    labels = [f"{centre / 1000:g}k" if centre >= 1000 else f"{centre:g}" for centre in centres]
    axes.set_xticks(places, labels)
    axes.set(title="Decay time per octave", xlabel="octave (Hz)", ylabel="decay time (s)")
    # The limit leaves room for the legend above the points.
    axes.set(xlim=(-0.5, len(places) - 0.5), ylim=(0, 1.35 * max(highest, 0.01)))
    axes.legend(loc="upper right", ncols=4, columnspacing=1.2, handletextpad=0.4)


def magnitude(axes: "Axes", samples: Double, rate: int, theme: Theme, names: tuple[str, ...]) -> None:
    """Draw the magnitude of each channel, smoothed over a sixth of an octave, in dB."""
    size = 1 << max(16, len(samples).bit_length())
    frequencies = np.asarray(np.fft.rfftfreq(size, 1 / rate), np.float64)
    points = np.geomspace(20, min(20_000, 0.499 * rate), 500)
    loudest = -np.inf
    for channel, color in zip(range(samples.shape[1]), theme.lines, strict=False):
        power = np.abs(np.fft.rfft(samples[:, channel], size)) ** 2
        level = 10 * np.log10(np.maximum(smoothed(power, frequencies, points, _SMOOTHING_OCTAVES), 1e-20))
        loudest = max(loudest, float(level.max()))
        axes.plot(points, level, color=color, linewidth=1.4, label=names[channel])
    axes.set(title="Frequency response (1/6 octave)", ylabel="gain (dB)", ylim=(loudest - 50, loudest + 6))
    hertz_axis(axes, 20, min(20_000, rate / 2))
    if samples.shape[1] > 1:
        axes.legend(loc="lower center", ncols=samples.shape[1])


def _title(response: ImpulseResponse, report: AcousticReport, title: str | None) -> str:
    band = report.mean[0]
    facts = [response.layout, f"{response.seconds:.2f} s", f"{response.sample_rate / 1000:g} kHz"]
    if band.t30.valid:
        facts.append(f"T30 {band.t30.seconds:.2f} s")
    if band.valid and band.t20.valid:
        facts.append(f"C80 {band.c80:+.1f} dB")
    if response.channels > _MAX_CHANNELS:
        facts.append(f"channels 1 to {_MAX_CHANNELS} of {response.channels}")
    return f"{title or response.name or 'impulse response'}  ·  " + "  ·  ".join(facts)
