"""The response between a dry and a wet recording of any music.

Least squares in the time domain: the response h minimizes ``‖wet − dry * h‖² + λ ‖h‖²`` over the recorded frames,
wherever the wet recording is cut. The solver is CGLS (Björck 1996, Numerical Methods for Least Squares Problems, 7.4),
with products by FFT. The power spectrum of the music is the preconditioner, so that quiet bands converge as fast as
loud ones.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, as_sample_rate
from reverb.checks import in_range, whole
from reverb.engine.routing import parallel
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.bands import band_set
from reverb.responses.decay.decay import onset
from reverb.responses.layouts import MONO, as_columns
from reverb.responses.response import ImpulseResponse, owning

MIN_COHERENCE = 0.9
"""Coherence below which the response in an octave is reported as unreliable."""
MIN_COVERED = 0.75
"""Share of an octave that the music must cover for a level accurate to about 1 dB."""
_TOLERANCE = 1e-7
_SEARCH_SECONDS = 0.1  # window before the loudest part of a response, in which its start is searched
_MAX_SEARCHES = 4  # windows of that length, each before the last one
_MIN_TAPS = 16
_MAX_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class BandCoherence:
    """Quality of a response in one octave.

    Attributes
    ----------
    label : str
        `125 Hz`, `1 kHz`.
    centre : float
        In Hz.
    coherence : float
        Share of the power of the wet recording that ``dry * response`` explains, 0 to 1.
    energy : float
        Level of the dry recording in dB re its loudest octave.
    covered : float
        Share of the octave in which the dry recording is louder than the regularization, 0 to 1.
    """

    label: str
    centre: float
    coherence: float
    energy: float
    covered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """A response between two recordings and figures of its quality.

    Attributes
    ----------
    response : ImpulseResponse
        Its time zero, frame `latency`, is the direct sound; without alignment it is that of the dry recording.
    delay : float
        Seconds from the dry recording to the direct sound, removed from the response; negative if the start of the
        wet recording was cut off.
    coherence : tuple of BandCoherence
        Per octave, of the worst channel.
    residual : float
        Level of the unexplained part re the wet recording, in dB.
    iterations : int
        Steps of the solver.
    objections : tuple of str
        Reasons to doubt the result, one sentence each.
    """

    response: ImpulseResponse
    delay: float
    coherence: tuple[BandCoherence, ...]
    residual: float
    iterations: int
    objections: tuple[str, ...]


def identify(
    dry: npt.ArrayLike,
    wet: npt.ArrayLike,
    sample_rate: int,
    seconds: float,
    *,
    lead: float = 0.01,
    regularization: float = -70.0,
    iterations: int = 40,
    align: bool = True,
    name: str = "identified",
    regularisation: float | None = None,
) -> Identification:
    """Return the response that turns a dry recording into a wet one.

    Parameters
    ----------
    dry : array_like, shape (frames,) or (frames, channels)
        Music, or better: a sound with energy in every band, several times as long as the response.
    wet : array_like, shape (frames,) or (frames, channels)
        The same through the room or the device. It may be cut anywhere, and should start with the dry recording.
    sample_rate : int
        Sample rate of both in Hz.
    seconds : float
        Length of the response; at least that of its decay.
    lead : float
        Seconds before the direct sound in which the response may start.
    regularization : float
        λ in dB re the loudest part of the dry spectrum, −200 to 0. The response is silent where the music is below it.
    iterations : int
        Largest number of steps of the solver, 1 to 10000.
    align : bool
        Whether the response starts at its direct sound, wherever the wet recording was cut; otherwise it includes
        the delay.
    name : str
        Name of the response.
    regularisation : float, optional
        The old name of `regularization`.

    Returns
    -------
    Identification

    Raises
    ------
    InvalidAudioError
        If a recording is silent, or the numbers of channels differ and the dry recording is not mono.
    ParameterError
        If a setting is out of range.
    """
    rate = as_sample_rate(sample_rate)
    x, y = as_columns(dry, "dry recording"), as_columns(wet, "wet recording")
    seconds = in_range("length of the response", seconds, 0, _MAX_SECONDS, "s")
    lead = in_range("lead", lead, 0, _MAX_SECONDS, "s")
    if regularisation is not None:
        warnings.warn("identify(regularisation=) is now regularization=", DeprecationWarning, stacklevel=2)
        regularization = regularisation
    regularization = in_range("regularization", regularization, -200, 0, "dB")
    iterations = whole("iterations", iterations, 1, 10_000)
    frames, ahead = round(seconds * rate), round(lead * rate)
    _check(x, y, frames)
    search = round(_SEARCH_SECONDS * rate) if align else ahead
    offset = (_delay(x, y) if align else 0) - search
    for _ in range(_MAX_SEARCHES):
        results = [
            _solve(x[:, min(c, x.shape[1] - 1)], y[:, c], offset, frames + search, regularization, iterations)
            for c in range(y.shape[1])
        ]
        samples = np.stack([result.response for result in results], axis=1)
        start = onset(samples) if align else ahead
        if not align or start > search // 8:
            break
        # It starts at the edge of the window: the loudest part is not the direct sound, but a later swell of bass.
        offset -= search
    samples = np.pad(samples, ((max(ahead - start, 0), 0), (0, 0)))[max(start - ahead, 0) :][: frames + ahead]
    wiring = MONO if y.shape[1] == 1 else parallel(y.shape[1])
    coherence = _coherence(results, rate)
    unexplained = sum(float(np.sum(result.residual**2)) for result in results)
    weak = [band.label for band in coherence if band.coherence < MIN_COHERENCE]
    silent = [band.label for band in coherence if band.covered < MIN_COVERED]
    objections = []
    if weak:
        objections.append(f"the response is uncertain at {', '.join(weak)}: coherence below {MIN_COHERENCE}")
    if silent:
        objections.append(
            f"the music has too little energy at {', '.join(silent)}, where the response is incomplete"
        )
    if len(y) < 3 * frames:
        objections.append(
            f"the recordings last {len(y) / rate:.1f} s, the response {seconds:.1f} s; three times that length is safer"
        )
    return Identification(
        response=owning(samples, rate, name, wiring, ahead),
        delay=(offset + start) / rate,
        coherence=coherence,
        residual=float(10 * np.log10(max(unexplained, 1e-300) / float(np.sum(y**2)))),
        iterations=max(result.iterations for result in results),
        objections=tuple(objections),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solution:
    """Solution of one channel, with its inputs."""

    response: Array
    dry: Array
    wet: Array
    residual: Array
    shares: Array  # dry power ÷ (dry power + λ), by frequency
    iterations: int


def _solve(x: Array, y: Array, offset: int, taps: int, regularization: float, iterations: int) -> _Solution:
    """Return the `taps` of a response that starts `offset` frames after the dry sound."""
    from scipy.fft import irfft, next_fast_len, rfft

    # Shift the wet recording so that the response starts at frame 0; frames before its start are unknown.
    wet = y[offset:] if offset >= 0 else np.concatenate([np.zeros(-offset), y])
    wet = wet[: len(x) + taps - 1]
    size = next_fast_len(len(x) + taps - 1, real=True)
    spectrum = rfft(x, size)
    short = next_fast_len(2 * taps, real=True)
    power = _averaged(np.abs(spectrum) ** 2, short // 2 + 1)
    weight = 10 ** (regularization / 10) * float(power.max())
    scale = 1 / (power + weight)
    known = slice(max(-offset, 0), len(wet))

    def forward(h: Array) -> Array:
        return np.asarray(irfft(rfft(h, size) * spectrum, size)[known])

    def backward(r: Array) -> Array:
        padded = np.zeros(size)
        padded[known] = r
        return np.asarray(irfft(rfft(padded) * np.conj(spectrum), size)[:taps])

    def precondition(g: Array) -> Array:
        return np.asarray(irfft(rfft(g, short) * scale, short)[:taps])

    h = np.zeros(taps)
    residual = wet[known].copy()
    gradient = backward(residual)
    direction = precondition(gradient)
    product = first = float(gradient @ direction)
    step = 0
    for step in range(1, iterations + 1):  # noqa: B007  # reported
        moved = forward(direction)
        length = product / (float(moved @ moved) + weight * float(direction @ direction))
        h += length * direction
        residual -= length * moved
        gradient = backward(residual) - weight * h
        turned = precondition(gradient)
        following = float(gradient @ turned)
        if following <= _TOLERANCE**2 * first:
            break
        direction = turned + following / product * direction
        product = following
    return _Solution(
        response=h, dry=x, wet=wet[known], residual=residual, shares=power * scale, iterations=step
    )


def _averaged(power: Array, bins: int) -> Array:
    """Return a power spectrum averaged to fewer bins over the same range, with overlap between adjacent ones."""
    step = (len(power) - 1) / (bins - 1)
    centre = np.arange(bins) * step
    low = np.clip(np.floor(centre - step), 0, len(power) - 1).astype(int)
    high = np.clip(np.ceil(centre + step) + 1, 1, len(power)).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _delay(x: Array, y: Array) -> int:
    """Return the delay of the loudest part of the response in frames, from the whitened correlation."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(x) + len(y), real=True)
    dry, wet = rfft(x.sum(axis=1), size), rfft(y, size, axis=0)
    power = np.abs(dry) ** 2
    rough = irfft((wet.T * np.conj(dry) / (power + 1e-2 * power.max())), size)
    lag = int(np.argmax(np.abs(rough).max(axis=0)))
    return lag if lag < len(y) else lag - size


def _coherence(results: list[_Solution], rate: int) -> tuple[BandCoherence, ...]:
    """Return the coherence per octave, corrected for the share of noise that this many taps explain by chance."""
    bands = band_set("octave", rate)
    worst, covered = np.ones(len(bands)), np.ones(len(bands))
    energy = np.zeros(len(bands))
    for result in results:
        frames, taps = len(result.wet), len(result.response)
        freedom = frames / max(frames - taps, 1)
        dry, wet, residual = (
            _octaves(signal, rate, [band.edges for band in bands])
            for signal in (result.dry, result.wet, result.residual)
        )
        worst = np.minimum(worst, np.clip(1 - freedom * residual / np.maximum(wet, 1e-300), 0, 1))
        energy += dry
        frequencies = np.linspace(0, rate / 2, len(result.shares))
        inside = [(frequencies >= low) & (frequencies < high) for low, high in (band.edges for band in bands)]
        covered = np.minimum(covered, [float(np.mean(result.shares[part] > 0.5)) for part in inside])
    levels = 10 * np.log10(np.maximum(energy / max(float(energy.max()), 1e-300), 1e-30))
    return tuple(
        BandCoherence(band.label, float(band.centre or 0), float(c), float(level), float(share))
        for band, c, level, share in zip(bands, worst, levels, covered, strict=True)
    )


def _octaves(signal: Array, rate: int, edges: list[tuple[float, float]]) -> Array:
    """Return the power of a signal between pairs of frequencies in Hz."""
    power = np.abs(np.fft.rfft(signal)) ** 2
    cuts = [np.searchsorted(np.fft.rfftfreq(len(signal), 1 / rate), edge) for edge in edges]
    return np.array([float(power[low:high].sum()) for low, high in cuts])


def _check(x: Array, y: Array, frames: int) -> None:
    if x.shape[1] not in (1, y.shape[1]):
        raise InvalidAudioError(
            f"the dry recording has {x.shape[1]} channels, the wet one {y.shape[1]}; expected a mono dry one, or "
            "as many channels in both"
        )
    if not _MIN_TAPS <= frames <= min(len(x), len(y)):
        raise ParameterError(
            f"response of {frames} frames; expected {_MIN_TAPS} to {min(len(x), len(y))}, the shorter recording"
        )
    for name, audio in (("dry", x), ("wet", y)):
        if not audio.any(axis=0).all():
            raise InvalidAudioError(f"a channel of the {name} recording is silent; use one with sound in it")
