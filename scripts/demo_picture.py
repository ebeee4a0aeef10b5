"""Draw the picture of the demonstration: a recording before and after, rooms and filters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reverb.audiofiles.files import PathLike, open_sound
from reverb.effects.effect import HasResponse
from reverb.plots.figures import hz_ticks, new_figure
from reverb.store.library import impulse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DRY, _WET = "#8a8f98", "#c2562d"
_LINES = ("#c2562d", "#2d6fa3", "#4c8a4f", "#8a5aa8", "#a08a2d")
_FLOOR_DB = -100.0
_DECAY_FLOOR_DB = -80.0


def overview(
    dry: PathLike, wet: PathLike, rooms: Sequence[str], filters: Mapping[str, HasResponse]
) -> "Figure":
    """Draw waveform, spectrogram, decay curves and filter responses in one figure.

    Parameters
    ----------
    dry, wet : path-like
        A recording before and after the room.
    rooms : sequence of str
        Names of the responses whose decay to draw.
    filters : mapping of str to Effect
        Filters whose magnitude to draw, by name.
    """
    figure, axes = new_figure(11, 7, 2, 2)
    with open_sound(dry) as before, open_sound(wet) as after:
        sample_rate = after.samplerate
        dry_sound, wet_sound = before.read(always_2d=True), after.read(always_2d=True)
    waveforms(axes[0, 0], dry_sound, wet_sound, sample_rate)
    spectrogram(axes[0, 1], wet_sound, sample_rate)
    decays(axes[1, 0], rooms)
    magnitudes(axes[1, 1], filters, sample_rate)
    return figure


def waveforms(axes: "Axes", dry: Any, wet: Any, sample_rate: int) -> None:
    """Draw the first channels, the wet sound behind the dry one, as minimum and maximum over time."""
    for sound, color, label in ((wet, _WET, "with room"), (dry, _DRY, "dry")):
        step = max(1, len(sound) // 2000)
        moments = sound[: len(sound) // step * step, 0].reshape(-1, step)
        seconds = np.arange(len(moments)) * step / sample_rate
        axes.fill_between(
            seconds,
            moments.min(axis=1),
            moments.max(axis=1),
            color=color,
            alpha=0.75,
            linewidth=0,
            label=label,
        )
    axes.set(title="Waveform", xlabel="time (s)", ylabel="amplitude", xlim=(0, len(wet) / sample_rate))
    axes.legend(loc="upper right", frameon=False)


def spectrogram(axes: "Axes", sound: Any, sample_rate: int) -> None:
    """Draw the spectrogram of the first channel, in dB below its peak."""
    from matplotlib.mlab import specgram

    size = 2048
    power, frequencies, seconds = specgram(sound[:, 0], size, sample_rate, noverlap=size // 2)
    density = np.asarray(power)
    level = 10 * np.log10(np.maximum(density / max(float(density.max()), 1e-30), 10 ** (_FLOOR_DB / 10)))
    mesh = axes.pcolormesh(seconds, frequencies, level, cmap="magma", vmin=_FLOOR_DB, vmax=0, rasterized=True)
    axes.set(title="Spectrogram with room", xlabel="time (s)", ylabel="frequency (Hz)", yscale="log")
    hz_ticks(axes.yaxis)
    axes.set_ylim(50, min(20_000, sample_rate / 2))
    axes.figure.colorbar(mesh, ax=axes, label="level (dB)")


def decays(axes: "Axes", rooms: Sequence[str]) -> None:
    """Draw the energy decay curves of responses, first channels, with their reverberation times."""
    from reverb.responses.acoustics import measure
    from reverb.responses.decay.decay import energy_decay

    longest = 0.0
    for room, color in zip(rooms, _LINES, strict=False):
        response = impulse(room)
        level = energy_decay(response.samples[:, 0].astype(np.float64), response.sample_rate).level
        t30 = measure(response.samples[:, :1], response.sample_rate, bands="broadband").mean[0].t30
        seconds = np.arange(len(level)) / response.sample_rate
        longest = max(longest, float(seconds[level > _DECAY_FLOOR_DB][-1]))
        axes.plot(seconds, level, color=color, label=f"{room} (T30 {t30.seconds:.1f} s)")
    axes.set(title="Energy decay", xlabel="time (s)", ylabel="level (dB)", ylim=(_DECAY_FLOOR_DB, 2))
    axes.set_xlim(0, longest)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", frameon=False)


def magnitudes(axes: "Axes", filters: Mapping[str, HasResponse], sample_rate: int) -> None:
    """Draw the magnitude responses of filters."""
    for (name, effect), color in zip(filters.items(), _LINES, strict=False):
        response = effect.response(sample_rate)
        size = 1 << max(16, response.frames.bit_length())
        frequencies = np.fft.rfftfreq(size, 1 / sample_rate)
        level = 20 * np.log10(np.maximum(np.abs(np.fft.rfft(response.samples[:, 0], size)), 1e-9))
        axes.plot(frequencies[1:], level[1:], color=color, label=f"{name} ({response.frames} taps)")
    axes.set(title="Filter responses", xlabel="frequency (Hz)", ylabel="gain (dB)", xscale="log")
    hz_ticks(axes.xaxis)
    axes.set(xlim=(20, sample_rate / 2), ylim=(-120, 40))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper center", fontsize="small", frameon=False)
