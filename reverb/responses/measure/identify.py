"""From a dry and a wet recording of any music to the response between them.

Least squares in the time domain, solved by conjugate gradients whose products are FFTs: the response h is the one that
makes ``‖wet − dry * h‖² + λ ‖h‖²`` least over the frames that were recorded, however the wet recording is cut. The
method is CGLS (Björck 1996, Numerical Methods for Least Squares Problems, 7.4), preconditioned by the music's own
power spectrum so that its quiet bands are learned as fast as its loud ones.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.arrays import as_audio, as_sample_rate
from reverb.checks import in_range, whole
from reverb.engine.routing import parallel
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.bands import band_set
from reverb.responses.direct_sound import onset
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.shape import LAYOUTS

Array: TypeAlias = npt.NDArray[np.float64]

LEAST_COHERENCE = 0.9
"""Below it a band's response is more guess than measurement."""
LEAST_COVERED = 0.75
"""Share of an octave that the music must cover for its level to be right within about a decibel."""
_TOLERANCE = 1e-7
_SEARCH_SECONDS = 0.1  # before the loudest part of a response, in which its beginning is looked for
_MOST_SEARCHES = 4  # windows of that length, one before the other
_LEAST_TAPS = 16


@dataclass(frozen=True, slots=True)
class BandCoherence:
    """What is known of one octave.

    Attributes
    ----------
    label : str
        `125 Hz`, `1 kHz`.
    centre : float
        In Hz.
    coherence : float
        Share of the wet recording's power that ``dry * response`` explains, 0 to 1.
    energy : float
        Level of the dry recording in dB re its loudest octave.
    covered : float
        Share of the octave in which the dry recording is louder than the regularisation, 0 to 1.
    """

    label: str
    centre: float
    coherence: float
    energy: float
    covered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """A response found between two recordings, and how far to trust it.

    Attributes
    ----------
    response : ImpulseResponse
        Its time zero, frame `latency`, is the direct sound; without alignment the dry recording's.
    delay : float
        Seconds from the dry recording to the response's direct sound, negative where the wet one was cut; taken out.
    coherence : tuple of BandCoherence
        Per octave, of the worst channel.
    residual : float
        dB of what stays unexplained, relative to the wet recording.
    iterations : int
        Steps of the solver.
    objections : tuple of str
        What speaks against the result, one sentence each.
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
    regularisation: float = -70.0,
    iterations: int = 40,
    align: bool = True,
    name: str = "identified",
) -> Identification:
    """Find the response that turns a dry recording into a wet one.

    Parameters
    ----------
    dry : array_like, shape (frames,) or (frames, channels)
        Music, or better: anything with energy in every band, several times as long as the response.
    wet : array_like, shape (frames,) or (frames, channels)
        The same through the room or the device. It may be cut anywhere, and should begin with the dry recording.
    sample_rate : int
        Of both, in Hz.
    seconds : float
        Length of the response: as long as it rings.
    lead : float
        Seconds before the direct sound in which the response may already begin.
    regularisation : float
        λ in dB re the loudest part of the dry spectrum: bands of the music below it are not guessed but left silent.
    iterations : int
        At most as many steps of the solver.
    align : bool
        Whether the response begins at its direct sound, wherever the wet recording was cut; else a delay is part of it.
    name : str
        Of the response.

    Returns
    -------
    Identification

    Raises
    ------
    InvalidAudioError
        If a recording is silent or too short, or the channels do not fit: mono dry to any wet, else one to one.
    ParameterError
        If a setting is out of range.
    """
    rate = as_sample_rate(sample_rate)
    x, y = _columns(dry, "dry recording"), _columns(wet, "wet recording")
    frames, ahead = round(seconds * rate), round(lead * rate)
    _check(x, y, frames, ahead, regularisation, iterations)
    search = round(_SEARCH_SECONDS * rate) if align else ahead
    offset = (_delay(x, y) if align else 0) - search
    for _ in range(_MOST_SEARCHES):
        results = [
            _solve(x[:, min(c, x.shape[1] - 1)], y[:, c], offset, frames + search, regularisation, iterations)
            for c in range(y.shape[1])
        ]
        samples = np.stack([result.response for result in results], axis=1)
        start = onset(samples) if align else ahead
        if not align or start > search // 8:
            break
        # It begins at once: what was loudest was not the direct sound, but bass that swells later.
        offset -= search
    samples = np.pad(samples, ((max(ahead - start, 0), 0), (0, 0)))[max(start - ahead, 0) :][: frames + ahead]
    wiring = LAYOUTS["mono"] if y.shape[1] == 1 else parallel(y.shape[1])
    coherence = _coherence(results, rate)
    unexplained = sum(float(np.sum(result.residual**2)) for result in results)
    weak = [band.label for band in coherence if band.coherence < LEAST_COHERENCE]
    silent = [band.label for band in coherence if band.covered < LEAST_COVERED]
    objections = [f"little is known at {', '.join(weak)}: coherence below {LEAST_COHERENCE}"] if weak else []
    if silent:
        objections.append(
            f"the music has too little sound at {', '.join(silent)}; the response lacks it there"
        )
    if len(y) < 3 * frames:
        objections.append(
            f"the recordings last {len(y) / rate:.1f} s, the response {seconds:.1f} s; three times as long is safer"
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
    """One channel's response, and what it was found from."""

    response: Array
    dry: Array
    wet: Array
    residual: Array
    shares: Array  # of the dry power over itself and λ, by frequency
    iterations: int


def _solve(x: Array, y: Array, offset: int, taps: int, regularisation: float, iterations: int) -> _Solution:
    """Solve for the `taps` of a response whose first frame is `offset` frames after the dry sound."""
    from scipy.fft import irfft, next_fast_len, rfft

    # Shift the wet recording so that the response begins at frame 0; frames before the dry sound are not known.
    wet = y[offset:] if offset >= 0 else np.concatenate([np.zeros(-offset), y])
    wet = wet[: len(x) + taps - 1]
    size = next_fast_len(len(x) + taps - 1, real=True)
    spectrum = rfft(x, size)
    short = next_fast_len(2 * taps, real=True)
    power = _averaged(np.abs(spectrum) ** 2, short // 2 + 1)
    weight = 10 ** (regularisation / 10) * float(power.max())
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
    """Average a power spectrum down to `bins` frequencies of the same range, each over both its neighbours."""
    step = (len(power) - 1) / (bins - 1)
    centre = np.arange(bins) * step
    low = np.clip(np.floor(centre - step), 0, len(power) - 1).astype(int)
    high = np.clip(np.ceil(centre + step) + 1, 1, len(power)).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _delay(x: Array, y: Array) -> int:
    """Return where the response between two recordings is loudest, in frames: their whitened correlation."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(x) + len(y), real=True)
    dry, wet = rfft(x.sum(axis=1), size), rfft(y, size, axis=0)
    power = np.abs(dry) ** 2
    rough = irfft((wet.T * np.conj(dry) / (power + 1e-2 * power.max())), size)
    lag = int(np.argmax(np.abs(rough).max(axis=0)))
    return lag if lag < len(y) else lag - size


def _coherence(results: list[_Solution], rate: int) -> tuple[BandCoherence, ...]:
    """Return per octave what the response explains; what so many taps would explain of mere noise is taken off."""
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
    power = np.abs(np.fft.rfft(signal)) ** 2
    cuts = [np.searchsorted(np.fft.rfftfreq(len(signal), 1 / rate), edge) for edge in edges]
    return np.array([float(power[low:high].sum()) for low, high in cuts])


def _check(x: Array, y: Array, frames: int, ahead: int, regularisation: float, iterations: int) -> None:
    if x.shape[1] not in (1, y.shape[1]):
        raise InvalidAudioError(
            f"the dry recording has {x.shape[1]} channels, the wet one {y.shape[1]}; expected a mono dry one, or "
            "as many channels in both"
        )
    if not _LEAST_TAPS <= frames <= min(len(x), len(y)):
        raise ParameterError(
            f"response of {frames} frames; expected {_LEAST_TAPS} to {min(len(x), len(y))}, the shorter recording"
        )
    if ahead < 0:
        raise ParameterError(f"lead {ahead} frames; expected 0 or more")
    in_range("regularisation", regularisation, -200, 0, "dB")
    whole("iterations", iterations, 1, 10_000)
    for name, audio in (("dry", x), ("wet", y)):
        if not audio.any(axis=0).all():
            raise InvalidAudioError(f"a channel of the {name} recording is silent; give one with sound in it")


def _columns(audio: npt.ArrayLike, name: str) -> Array:
    array = np.asarray(as_audio(audio, name), np.float64)
    return array[:, np.newaxis] if array.ndim == 1 else array
