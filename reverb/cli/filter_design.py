"""`reverb filter design`: a filter's taps, what they reach, a picture of them, and files for other programs."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from reverb.cli.filter_options import METHODS, PHASES, crossover_settings
from reverb.cli.options import FILE

if TYPE_CHECKING:
    from reverb.effects.design.specify import FilterReport
    from reverb.effects.effect import Effect
    from reverb.responses.response import ImpulseResponse

_KINDS = {
    "lowpass": "LowPass",
    "highpass": "HighPass",
    "bandpass": "BandPass",
    "bandstop": "BandStop",
    "lowcut": "LowCut",
    "highcut": "HighCut",
    "lowshelf": "LowShelf",
    "highshelf": "HighShelf",
    "peak": "Peak",
    "tilt": "Tilt",
    "notch": "Notch",
    "weighting": "Weighting",
    "riaa": "RiaaCurve",
    "crossover": "Band",
    "eq": "load_equalizer",
}
# Options named otherwise than what they set.
_NAMES = {"gain_db": "boost", "path": "file", "frequencies": "at", "number": "band"}
_REQUIRED = ("cutoff", "low", "high", "frequency", "gain_db", "curve", "path", "frequencies", "number")
_ENDINGS = (".wav", ".txt", ".npy", ".json")
_DEFAULT_RATE = 48_000


@click.command()
@click.argument("kind", type=click.Choice([*_KINDS]))
@click.option("--cutoff", type=float, metavar="HZ", help="lowpass, highpass: the -6 dB point.")
@click.option("--low", type=float, metavar="HZ", help="bandpass, bandstop: the lower -6 dB point.")
@click.option("--high", type=float, metavar="HZ", help="bandpass, bandstop: the upper -6 dB point.")
@click.option("--transition", type=float, metavar="HZ", help="Width from pass to stop band.")
@click.option("--attenuation", type=float, metavar="DB", help="Of the stop band.")
@click.option("--ripple", type=float, metavar="DB", help="Of the pass band.")
@click.option("--method", type=click.Choice(METHODS), help="How filters to a specification are designed.")
@click.option("--frequency", type=float, metavar="HZ", help="Of an equalizer.")
@click.option("--boost", "gain_db", type=float, metavar="DB", help="peak, shelves, tilt; negative lowers.")
@click.option("--q", type=float, metavar="Q", help="peak, shelves, notch.")
@click.option("--pivot", type=float, metavar="HZ", help="tilt.")
@click.option("--slope", type=int, metavar="DB", help="lowcut, highcut, crossover: per octave.")
@click.option("--harmonics", type=int, metavar="N", help="notch.")
@click.option("--curve", type=click.Choice(["A", "C", "K"]), help="weighting.")
@click.option("--at", "frequencies", type=float, multiple=True, metavar="HZ", help="crossover: once or more.")
@click.option("--band", "number", type=click.IntRange(1), metavar="N", help="crossover: from 1, the lowest.")
@click.option(
    "--file",
    "path",
    metavar="FILE",
    type=FILE,
    help="eq: a table of Hz and dB, or what REW and AutoEq write.",
)
@click.option("--recording", is_flag=True, default=None, help="riaa: as records are cut.")
@click.option("--tolerance", type=float, metavar="DB", help="From an equalizer's curve.")
@click.option(
    "--phase", type=click.Choice(PHASES), help="[default: linear to a specification, minimum otherwise]"
)
@click.option(
    "--sample-rate",
    type=click.IntRange(1),
    default=_DEFAULT_RATE,
    show_default=True,
    metavar="HZ",
    help="Sample rate of the taps.",
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    type=FILE,
    help="Draw magnitude and decay (.png, .svg, .pdf).  [KIND.png if no file is given]",
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def design(
    kind: str,
    sample_rate: int,
    plot: str | None,
    exports: tuple[str, ...],
    force: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Design a filter and say how many taps it takes, what they reach, and what they cost in time.

    \b
    Examples:
      reverb filter design lowpass --cutoff 8000 --transition 500 --method equiripple
      reverb filter design peak --frequency 3000 --boost 4 --q 2 --plot peak.png
      reverb filter design highpass --cutoff 30 --phase minimum --export taps.wav --export taps.txt
      reverb filter design eq --file headphones.csv --export taps.wav
      reverb filter design crossover --at 200 --at 2500 --band 1 --export low.wav
    """
    effect = _effect(kind, {name: value for name, value in settings.items() if value not in (None, ())})
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


def _effect(kind: str, settings: dict[str, Any]) -> "Effect":
    """Return the filter of a kind, or raise UsageError for an option that it does not have or lacks."""
    from inspect import signature

    import reverb

    make = getattr(reverb, _KINDS[kind])
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
        settings = {**crossover_settings(settings), "number": settings["number"] - 1}
    effect: Effect = make(**settings)
    return effect


def _report(effect: Any, sample_rate: int) -> "FilterReport":
    """Return what a filter reaches; of several in a row, as a file may hold, what they reach together."""
    from reverb.effects.effect import Chain
    from reverb.store.eq_files import report_on_equalizer

    report: FilterReport = (
        report_on_equalizer(effect, sample_rate) if isinstance(effect, Chain) else effect.report(sample_rate)
    )
    return report


def _option(name: str) -> str:
    return f"--{_NAMES.get(name, name)}"


def _options(names: Any) -> str:
    return ", ".join(_option(name) for name in names)


def _finite(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts as JSON can hold them: null for infinity."""
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
