"""`reverb ir`: list, examine and compare impulse responses."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from reverb.choices import BAND_SETS, BandSet
from reverb.cli.ir_edit import edit
from reverb.cli.ir_export import export, plot
from reverb.cli.ir_identify import burst, identify
from reverb.cli.ir_measure import deconvolve, record, sweep
from reverb.cli.ir_synth import synth
from reverb.cli.options import JSON, LAYOUT, complete_response
from reverb.cli.results import number, show_csv, show_table

if TYPE_CHECKING:
    from reverb.responses.acoustics import AcousticReport, BandReport, ChannelReport
    from reverb.responses.decay.decay import DecayTime
    from reverb.responses.response import ImpulseResponse


@click.group()
def ir() -> None:
    """List, examine, edit, measure and synthesize impulse responses.

    \b
    Examples:
      reverb ir list hall
      reverb ir info church
      reverb ir edit church dark.wav --rt60 2.5 --high-cut 6000
      reverb ir synth figures big.wav --rt60 4 --size 30 --seed 7
    """


ir.add_command(edit)
ir.add_command(synth)
for _command in (sweep, record, deconvolve, identify, burst, export, plot):
    ir.add_command(_command)

_bands_option = click.option(
    "--bands",
    type=click.Choice(BAND_SETS),
    default="octave",
    help="Bands of the ISO 3382 figures, in addition to the broadband ones.",
)


@ir.command("list")
@click.argument("search", nargs=-1)
@JSON
def list_responses(search: tuple[str, ...], as_json: bool) -> None:
    """List the responses that --ir accepts by name: all, or those that match every word of SEARCH.

    T30 (seconds) and C80 (dB) are means of the octaves 500 Hz and 1 kHz. Your own responses are the files in your
    folder, which the last line names, and in the folders of the environment variable REVERB_IMPULSES.

    \b
    Examples:
      reverb ir list
      reverb ir list true-stereo hall
    """
    from reverb.store.library import as_dict, entries, user_folder

    found = list(entries(search))
    if as_json:
        click.echo(json.dumps([as_dict(entry) for entry in found], indent=2))
        return
    rows = [("name", "layout", "seconds", "T30", "C80", "rate (Hz)", "kind", "origin", "description")]
    for entry in found:
        figures = (f"{entry.seconds:.2f}", number(entry.t30, 2), number(entry.c80, 1), str(entry.sample_rate))
        rows.append((entry.name, entry.layout, *figures, entry.kind, entry.origin, entry.description))
    show_table(rows)
    if not found:
        click.echo(f"nothing matches {' '.join(search)!r}", err=True)
    click.echo(f"your own: {user_folder()}", err=True)


@ir.command()
@click.argument("name_or_file", shell_complete=complete_response)
@LAYOUT
@_bands_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON, with every channel, and the reason why a figure is unreliable.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: a row per channel and band, then the means.")
def info(name_or_file: str, layout: str | None, bands: BandSet, as_json: bool, as_csv: bool) -> None:
    """Show layout, length, level and the ISO 3382-1 figures of a response.

    EDT, T20 and T30 are decay times in seconds; C50 and C80 clarity in dB; D50 definition in percent; Ts the center
    time in ms; G the strength relative to the direct sound in dB; floor the noise in dBFS; range the decay above it in
    dB; IACC E and L the early and late correlation of a stereo pair. All are means over the channels; (..) marks an
    unreliable figure, - an undefined one.
    """
    from reverb.store.library import impulse

    response = impulse(name_or_file, layout)
    facts, report = _facts(response), measured(response, bands)
    if as_csv:
        show_csv(_csv_rows(report))
    elif as_json:
        click.echo(json.dumps(facts | {"acoustics": report.as_dict()}, indent=2))
    else:
        show_table([(_label(name), str(value)) for name, value in facts.items()])
        click.echo()
        iacc = {correlation.label: correlation for correlation in report.iacc}
        columns = (*_COLUMNS, "IACC E", "IACC L") if iacc else _COLUMNS
        show_table([columns, *(_band_row(band, iacc.get(band.label)) for band in report.mean)])


@ir.command()
@click.argument("a", shell_complete=complete_response)
@click.argument("b", shell_complete=complete_response)
@LAYOUT
@_bands_option
@JSON
def compare(a: str, b: str, layout: str | None, bands: BandSet, as_json: bool) -> None:
    """Show the figures of two responses side by side, and their differences.

    A star marks a difference that listeners notice (ISO 3382-1, table A.1). --layout applies to both.

    \b
    Examples:
      reverb ir compare church hall
      reverb ir compare before.wav after.wav --bands third --json
    """
    from reverb.responses.compare import compare as compare_reports
    from reverb.store.library import impulse

    first, second = impulse(a, layout), impulse(b, layout)
    facts = _facts(first), _facts(second)
    differences = compare_reports(measured(first, bands), measured(second, bands))
    if as_json:
        listed = [difference.as_dict() for difference in differences]
        click.echo(json.dumps({"a": facts[0], "b": facts[1], "differences": listed}, indent=2))
        return
    show_table([("", "A", "B")] + [(_label(key), *(str(f[key]) for f in facts)) for key in facts[0]])
    click.echo()
    rows: list[tuple[str, ...]] = [("band", "figure", "unit", "A", "B", "B - A", "")]
    for one in differences:
        digits = 0 if one.unit in ("%", "ms") else 1 if one.unit == "dB" else 2
        values = (number(value, digits) for value in (one.a, one.b, one.change))
        rows.append((one.band, one.figure, one.unit, *values, "*" if one.audible else ""))
    show_table(rows)


def measured(response: "ImpulseResponse", bands: BandSet) -> "AcousticReport":
    """Measure the channels of a response that are not silent, in bands and over the full range."""
    from reverb.responses.acoustics import measure, with_broadband

    sounding = response.samples[:, response.samples.any(axis=0)]
    report = measure(sounding, response.sample_rate, bands=bands)
    return report if bands == "broadband" else with_broadband(report, sounding)


def _facts(response: "ImpulseResponse") -> dict[str, Any]:
    from reverb.levels import to_db
    from reverb.responses.level import loudness_ratio, peak

    return {
        "name": response.name,
        "layout": response.layout,
        "sample_rate_hz": response.sample_rate,
        "frames": response.frames,
        "seconds": round(response.seconds, 4),
        "latency_frames": response.latency,
        "peak_dbfs": round(to_db(peak(response)), 2),
        "loudness_db": round(to_db(loudness_ratio(response) ** 0.5), 2),
    }


_UNITS = {"hz": "(Hz)", "seconds": "length (s)", "dbfs": "(dBFS)", "db": "(dB)"}


def _label(fact: str) -> str:
    """Return the label of a JSON key in tables: `peak_dbfs` becomes peak (dBFS)."""
    return " ".join(_UNITS.get(word, word) for word in fact.split("_"))


_COLUMNS = ("band", "EDT", "T20", "T30", "C50", "C80", "D50", "Ts", "G", "floor", "range")


def _band_row(band: "BandReport", ears: Any) -> tuple[str, ...]:
    def doubted(value: float, digits: int, valid: bool) -> str:
        text = number(value, digits)
        return text if valid or text == "-" else f"({text})"

    times = (doubted(time.seconds, 2, time.valid) for time in (band.edt, band.t20, band.t30))
    early = ((band.c50, 1), (band.c80, 1), (100 * band.d50, 0), (1000 * band.ts, 0))
    figures = (doubted(value, digits, band.valid) for value, digits in early)
    levels = (number(band.strength, 1), number(band.noise_floor, 0), number(band.dynamic_range, 0))
    pair = () if ears is None else (number(ears.early, 2), number(ears.late, 2))
    return (band.label, *times, *figures, *levels, *pair)


_CSV_COLUMNS = (
    *("channel", "band", "centre_hz"),
    *(f"{name}_{what}" for name in ("edt", "t20", "t30") for what in ("s", "valid", "nonlinearity", "doubt")),
    *("c50_db", "c80_db", "d50", "ts_s", "valid", "doubt", "curvature_percent"),
    *("g_re_direct_db", "noise_floor_dbfs", "dynamic_range_db", "iacc_early", "iacc_late", "iacc"),
)


def _csv_rows(report: "AcousticReport") -> list[tuple[object, ...]]:
    ears = {one.label: (one.early, one.late, one.all) for one in report.iacc}
    rows: list[tuple[object, ...]] = [_CSV_COLUMNS]
    for number_, channel in enumerate(report.channels, 1):
        rows += _csv_bands(str(number_), channel, {})
    return rows + _csv_bands("mean", report.mean, ears)


def _csv_bands(
    name: str, bands: "ChannelReport | tuple[BandReport, ...]", ears: Mapping[str, tuple[float, ...]]
) -> list[tuple[object, ...]]:
    from reverb.responses.acoustics import ChannelReport

    def cell(value: object) -> object:
        undefined = isinstance(value, float) and (value != value or abs(value) == float("inf"))
        return None if undefined else round(value, 6) if isinstance(value, float) else value

    def time(found: "DecayTime") -> tuple[object, ...]:
        return found.seconds, found.valid, found.nonlinearity, found.reason

    rows = []
    for band in bands.bands if isinstance(bands, ChannelReport) else bands:
        decay = (*time(band.edt), *time(band.t20), *time(band.t30))
        early = (band.c50, band.c80, band.d50, band.ts, band.valid, band.reason, band.curvature)
        levels = (band.strength, band.noise_floor, band.dynamic_range)
        pair = ears.get(band.label, (None, None, None))
        rows.append(tuple(map(cell, (name, band.label, band.centre, *decay, *early, *levels, *pair))))
    return rows
