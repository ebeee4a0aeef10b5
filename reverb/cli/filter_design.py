"""`reverb filter design`: the taps of a filter: a report, a picture, and files for other programs."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypedDict

import click

import reverb
from reverb.choices import METHODS, PHASES, WEIGHTS, Method, Phase, Weight
from reverb.cli.options import FILE, JSON, grouped

if TYPE_CHECKING:
    from reverb.effects.design.specify import FilterReport
    from reverb.effects.effect import Effect
    from reverb.responses.response import ImpulseResponse


class CrossoverSettings(TypedDict, total=False):
    """The settings of a crossover that are given."""

    slope: int | None
    transition: float
    attenuation: float


class _Settings(CrossoverSettings, total=False):
    """The settings of any filter that are given."""

    cutoff: float
    low: float
    high: float
    ripple: float
    method: Method
    frequency: float
    gain_db: float
    q: float
    pivot: float
    harmonics: int
    curve: Weight
    frequencies: tuple[float, ...]
    number: int
    path: str
    recording: bool
    tolerance: float
    phase: Phase


# Functions, because a class is loaded when `reverb` is first asked for it.
_KINDS: dict[str, Callable[[], Callable[..., "Effect"]]] = {
    "lowpass": lambda: reverb.LowPass,
    "highpass": lambda: reverb.HighPass,
    "bandpass": lambda: reverb.BandPass,
    "bandstop": lambda: reverb.BandStop,
    "lowcut": lambda: reverb.LowCut,
    "highcut": lambda: reverb.HighCut,
    "lowshelf": lambda: reverb.LowShelf,
    "highshelf": lambda: reverb.HighShelf,
    "peak": lambda: reverb.Peak,
    "tilt": lambda: reverb.Tilt,
    "notch": lambda: reverb.Notch,
    "weighting": lambda: reverb.Weighting,
    "riaa": lambda: reverb.RiaaCurve,
    "crossover": lambda: reverb.Band,
    "eq": lambda: reverb.load_equalizer,
}
# Options whose name differs from that of their setting.
_NAMES = {"gain_db": "boost", "path": "file", "frequencies": "at", "number": "band"}
_REQUIRED = ("cutoff", "low", "high", "frequency", "gain_db", "curve", "path", "frequencies", "number")
_ENDINGS = (".wav", ".txt", ".npy", ".json")
_DEFAULT_RATE = 48_000


@click.command()
@click.argument("kind", type=click.Choice([*_KINDS]))
@grouped(
    "settings",
    _Settings,
    click.option("--cutoff", type=float, metavar="HZ", help="lowpass, highpass: the -6 dB point."),
    click.option("--low", type=float, metavar="HZ", help="bandpass, bandstop: the lower -6 dB point."),
    click.option("--high", type=float, metavar="HZ", help="bandpass, bandstop: the upper -6 dB point."),
    click.option("--transition", type=float, metavar="HZ", help="Width from pass to stop band."),
    click.option("--attenuation", type=float, metavar="DB", help="Attenuation of the stop band."),
    click.option("--ripple", type=float, metavar="DB", help="Ripple of the pass band."),
    click.option(
        "--method", type=click.Choice(METHODS), help="Method of design, of filters to a specification."
    ),
    click.option("--frequency", type=float, metavar="HZ", help="Center or corner frequency of an equalizer."),
    click.option(
        "--boost",
        "gain_db",
        type=float,
        metavar="DB",
        help="peak, shelves, tilt: gain; a negative one lowers the level.",
    ),
    click.option(
        "--q", type=float, metavar="Q", help="peak, shelves, notch: the higher, the narrower or steeper."
    ),
    click.option(
        "--pivot", type=float, metavar="HZ", help="tilt: frequency at which the level does not change."
    ),
    click.option("--slope", type=int, metavar="DB", help="lowcut, highcut, crossover: slope per octave."),
    click.option(
        "--harmonics",
        type=int,
        metavar="N",
        help="notch: number of multiples to remove, the frequency itself included.",
    ),
    click.option("--curve", type=click.Choice(WEIGHTS), help="weighting: the curve."),
    click.option(
        "--at",
        "frequencies",
        type=float,
        multiple=True,
        metavar="HZ",
        help="crossover: a frequency; give one or more.",
    ),
    click.option(
        "--band",
        "number",
        type=click.IntRange(1),
        metavar="N",
        help="crossover: number of the band, from 1, the lowest.",
    ),
    click.option(
        "--file",
        "path",
        metavar="FILE",
        type=FILE,
        help="eq: a table of Hz and dB, or an export of REW, AutoEq or Equalizer APO.",
    ),
    click.option(
        "--recording",
        is_flag=True,
        default=None,
        help="riaa: the curve for cutting records, instead of that for playback.",
    ),
    click.option(
        "--tolerance", type=float, metavar="DB", help="Largest deviation from an equalizer's curve."
    ),
    click.option(
        "--phase",
        type=click.Choice(PHASES),
        help="Phase.  [default: linear for filters to a specification, minimum for the others]",
    ),
    only_given=True,
)
@click.option(
    "--sample-rate",
    type=click.IntRange(1),
    default=_DEFAULT_RATE,
    metavar="HZ",
    help="Sample rate of the taps.",
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    type=FILE,
    help="Draw the magnitude and the decay (.png, .svg, .pdf).  [KIND.png if no file is given]",
)
@click.option(
    "--export",
    "exports",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="Write the taps (.wav, .txt, .npy, .json); once or more.",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@JSON
def design(
    kind: str,
    settings: _Settings,
    sample_rate: int,
    plot: str | None,
    exports: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Design a filter; report its number of taps, its ripple and attenuation, its delay and its pre-ringing.

    \b
    Examples:
      reverb filter design lowpass --cutoff 8000 --transition 500 --method equiripple
      reverb filter design peak --frequency 3000 --boost 4 --q 2 --plot peak.png
      reverb filter design highpass --cutoff 30 --phase minimum --export taps.wav --export taps.txt
      reverb filter design eq --file headphones.csv --export taps.wav
      reverb filter design crossover --at 200 --at 2500 --band 1 --export low.wav
    """
    effect = _effect(kind, settings)
    report = _report(effect, sample_rate)
    for path in exports:
        _export(effect, sample_rate, path, force)
    if plot is not None:
        from reverb.plots.effects import effect_figure
        from reverb.plots.figures import save

        save(effect_figure(effect, sample_rate), plot or f"{kind}.png", overwrite=force)
    if as_json:
        click.echo(json.dumps({"filter": repr(effect), **_finite(asdict(report))}, indent=2))
    else:
        click.echo(f"{effect!r}\n{report}")


def crossover_settings(settings: CrossoverSettings) -> CrossoverSettings:
    """Return the settings for `reverb.crossover`, without a slope if one of steep filters is given."""
    if not settings.keys() & {"transition", "attenuation"}:
        return settings
    if "slope" in settings:
        raise click.UsageError("--slope excludes --transition and --attenuation; give either.")
    return {"slope": None, **settings}


def _effect(kind: str, settings: _Settings) -> "Effect":
    """Return the filter of a kind, or raise UsageError for an option that it does not have or lacks."""
    from inspect import signature

    make = _KINDS[kind]()
    known = signature(make).parameters
    for name in settings:
        if name not in known:
            raise click.UsageError(f"{_option(name)} is no option of {kind}; it has {_options(known)}.")
    lacking = [name for name in _REQUIRED if name in known and name not in settings]
    if lacking:
        raise click.UsageError(f"Missing option {_option(lacking[0])!r} of {kind}.")
    if kind == "crossover":
        bands = len(settings["frequencies"]) + 1
        if settings["number"] > bands:
            raise click.UsageError(f"--band {settings['number']}; the crossover has bands 1 to {bands}.")
        return make(**{**crossover_settings(settings), "number": settings["number"] - 1})
    return make(**settings)


def _report(effect: Any, sample_rate: int) -> "FilterReport":
    """Return the report of a filter, or of the chain of filters that an equalizer file may contain."""
    from reverb.effects.effect import Chain
    from reverb.store.eq_files import report_on_equalizer

    report: FilterReport = (
        report_on_equalizer(effect, sample_rate) if isinstance(effect, Chain) else effect.report(sample_rate)
    )
    return report


def _option(name: str) -> str:
    return f"--{_NAMES.get(name, name)}"


def _options(names: Iterable[str]) -> str:
    return ", ".join(_option(name) for name in names)


def _finite(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts with null for infinity, which JSON does not have."""
    return {name: None if value in (float("inf"), -float("inf")) else value for name, value in facts.items()}


def _export(effect: "Effect", sample_rate: int, path: str, force: bool) -> None:
    from pathlib import Path

    from reverb.store.formats.bare import write_npy
    from reverb.store.formats.text import write_text
    from reverb.store.response_files import save_response

    response = effect.response(sample_rate)
    ending = Path(path).suffix.lower()
    if ending not in _ENDINGS:
        raise click.UsageError(f"{path}: the ending {ending!r}; expected {', '.join(_ENDINGS)}.")
    if ending == ".json":
        _export_json(effect, response, path, force)
    else:
        write = {".wav": save_response, ".txt": write_text, ".npy": write_npy}[ending]
        write(response, path, overwrite=force)


def _export_json(effect: "Effect", response: "ImpulseResponse", path: str, force: bool) -> None:
    from reverb.audiofiles.outputs import whole_or_nothing

    facts = {
        "filter": repr(effect),
        "sample_rate_hz": response.sample_rate,
        "latency_frames": response.latency,
        "taps": response.samples[:, 0].tolist(),
    }
    with whole_or_nothing(path, force) as temporary:
        temporary.write_text(json.dumps(facts))
