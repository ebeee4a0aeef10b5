"""`reverb ir identify|burst`: responses without a sweep, from music or from a clap."""

from dataclasses import asdict

import click

from reverb.cli.options import FILE, Milliseconds, Renamed
from reverb.cli.results import ReportOptions, report_options, save


@click.command()
@click.argument("dry", metavar="DRY", type=FILE)
@click.argument("wet", metavar="WET", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option("--length", type=float, default=3.0, metavar="S", help="Length of the response.")
@click.option(
    "--lead", type=Milliseconds(), default=10.0, metavar="MS", help="Time to keep before the direct sound."
)
@click.option(
    "--regularization",
    cls=Renamed,
    former="--regularisation",
    type=float,
    default=-70.0,
    metavar="DB",
    help="Level of the music below which nothing is estimated; raise it for noisy recordings.",
)
@click.option("--iterations", type=int, default=40, help="Maximum number of the solver's steps.")
@click.option(
    "--align/--no-align", default=True, help="Start the response at the direct sound, or keep the delay."
)
@report_options
def identify(
    dry: str,
    wet: str,
    output: str,
    length: float,
    lead: float,
    regularization: float,
    iterations: int,
    align: bool,
    report: ReportOptions,
) -> None:
    """Estimate the response of a reverb or a device from a DRY recording and the same music WET.

    Any music will do, preferably several times as long as the response, and with sound in all octaves. Per octave,
    coherence is the share of the wet recording that the response explains, and covered the share that the music covers.

    \b
    Examples:
      reverb ir identify dry.wav through_plate.wav plate.wav --length 4
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.responses.measure.identify import identify as identify_response
    from reverb.store.sweep_files import load_played

    check_output(output, report.force)
    (x, rate, _), (y, wet_rate, _) = load_played(dry), load_played(wet)
    if rate != wet_rate:
        raise click.ClickException(f"{dry} has {rate} Hz, {wet} {wet_rate} Hz; they must be equal")
    found = identify_response(
        x, y, rate, length, lead=lead, regularization=regularization, iterations=iterations, align=align
    )
    save(found.response, output, force=report.force, quiet=True)
    facts = {"delay (ms)": round(1000 * found.delay, 3), "unexplained (dB)": round(found.residual, 1)}
    bands = [asdict(band) for band in found.coherence]
    report.show(facts, found.objections, bands)


@click.command()
@click.argument("recording", metavar="RECORDING", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option(
    "--length", type=float, metavar="S", help="Length of the response.  [default: that of the recording]"
)
@click.option("--flatten/--no-flatten", default=True, help="Flatten the spectrum of the source.")
@click.option(
    "--direct",
    type=Milliseconds(),
    default=4.0,
    metavar="MS",
    help="Time from the direct sound to the first reflection.",
)
@click.option("--limit", type=float, default=12.0, metavar="DB", help="Largest boost or cut.")
@report_options
def burst(
    recording: str,
    output: str,
    length: float | None,
    flatten: bool,
    direct: float,
    limit: float,
    report: ReportOptions,
) -> None:
    """Turn the recording of a balloon pop or a clap into a response.

    The response starts at the direct sound, whose spectrum is flattened as far as the recording reveals it.

    \b
    Examples:
      reverb ir burst pop.wav cellar.wav --length 3
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.responses.measure.burst import from_burst
    from reverb.store.sweep_files import load_played

    check_output(output, report.force)
    samples, rate, _ = load_played(recording)
    made = from_burst(samples, rate, seconds=length, flatten=flatten, direct=direct, limit=limit)
    save(made.response, output, force=report.force, quiet=True)
    band = "-" if made.flattened is None else f"{made.flattened[0]:.0f} to {made.flattened[1]:.0f}"
    facts = {
        "flattened (Hz)": band,
        "correction (dB)": round(made.correction, 1),
        "decay range (dB)": round(made.dynamic_range, 1),
    }
    report.show(facts, made.objections)
