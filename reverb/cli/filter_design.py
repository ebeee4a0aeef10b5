"""`reverb filter design`: a filter's taps, what they reach, a picture of them, and files for other programs."""

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import click

from reverb.cli.filter_options import METHODS, PHASES

if TYPE_CHECKING:
    from reverb.effects.equalisers import Equaliser
    from reverb.effects.filters import Filter
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
}
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
@click.option("--frequency", type=float, metavar="HZ", help="Of an equaliser.")
@click.option("--boost", "gain_db", type=float, metavar="DB", help="peak, shelves, tilt; negative lowers.")
@click.option("--q", type=float, metavar="Q", help="peak, shelves, notch.")
@click.option("--pivot", type=float, metavar="HZ", help="tilt.")
@click.option("--slope", type=int, metavar="DB", help="lowcut, highcut: per octave.")
@click.option("--harmonics", type=int, metavar="N", help="notch.")
@click.option("--curve", type=click.Choice(["A", "C", "K"]), help="weighting.")
@click.option("--recording", is_flag=True, default=None, help="riaa: as records are cut.")
@click.option("--tolerance", type=float, metavar="DB", help="From an equaliser's curve.")
@click.option(
    "--phase", type=click.Choice(PHASES), help="[default: linear to a specification, minimum otherwise]"
)
@click.option("--sample-rate", type=click.IntRange(1), default=_DEFAULT_RATE, show_default=True, metavar="HZ")
@click.option(
    "--plot",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Draw magnitude and decay (.png, .svg, .pdf).  [KIND.png if no file is given]",
)
@click.option(
    "--export",
    "exports",
    multiple=True,
    metavar="FILE",
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
    """
    effect = _effect(kind, {name: value for name, value in settings.items() if value is not None})
    report = effect.report(sample_rate)
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


def _effect(kind: str, settings: dict[str, Any]) -> "Filter | Equaliser":
    """Return the filter of a kind, or raise UsageError for an option that it does not have or lacks."""
    import reverb

    make = getattr(reverb, _KINDS[kind])
    known = {field.name: field for field in fields(make) if field.init}
    for name in settings:
        if name not in known:
            raise click.UsageError(f"{_option(name)} is no option of {kind}; it has {_options(known)}.")
    missing = [name for name in ("cutoff", "low", "high", "frequency", "gain_db", "curve") if name in known]
    lacking = [name for name in missing if name not in settings]
    if lacking:
        raise click.UsageError(f"Missing option {_option(lacking[0])!r} of {kind}.")
    effect: Filter | Equaliser = make(**settings)
    return effect


def _option(name: str) -> str:
    return "--boost" if name == "gain_db" else f"--{name}"


def _options(names: Any) -> str:
    return ", ".join(_option(name) for name in names)


def _finite(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts as JSON can hold them: null for infinity."""
    return {name: None if value in (float("inf"), -float("inf")) else value for name, value in facts.items()}


def _export(effect: "Filter | Equaliser", sample_rate: int, path: str, force: bool) -> None:
    from pathlib import Path

    from reverb.responses.files import save_response
    from reverb.responses.formats.bare import write_npy
    from reverb.responses.formats.text import write_text

    response = effect.response(sample_rate)
    ending = Path(path).suffix.lower()
    if ending not in _ENDINGS:
        raise click.UsageError(f"{path}: the ending {ending!r}; expected {', '.join(_ENDINGS)}.")
    if ending == ".json":
        _export_json(effect, response, path, force)
    else:
        write = {".wav": save_response, ".txt": write_text, ".npy": write_npy}[ending]
        write(response, path, overwrite=force)


def _export_json(effect: "Filter | Equaliser", response: "ImpulseResponse", path: str, force: bool) -> None:
    from reverb.outputs import whole_or_nothing

    facts = {
        "filter": repr(effect),
        "sample_rate_hz": response.sample_rate,
        "latency_frames": response.latency,
        "taps": response.samples[:, 0].tolist(),
    }
    with whole_or_nothing(path, force) as temporary:
        temporary.write_text(json.dumps(facts))
