"""`reverb ir identify|burst`: responses of what was never swept: a device heard with music, a room with a clap."""

from dataclasses import asdict

import click

from reverb.cli.measured import RESULT_OPTIONS, save_response, show_report
from reverb.cli.options import FILE, with_options


@click.command()
@click.argument("dry", metavar="DRY", type=FILE)
@click.argument("wet", metavar="WET", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option("--length", type=float, default=3.0, show_default=True, metavar="S", help="Of the response.")
@click.option(
    "--lead", type=float, default=10.0, show_default=True, metavar="MS", help="Kept before the direct sound."
)
@click.option(
    "--regularisation",
    type=float,
    default=-70.0,
    show_default=True,
    metavar="DB",
    help="Parts of the music below this are not guessed; raise it for noisy recordings.",
)
@click.option("--iterations", type=int, default=40, show_default=True, help="Most steps of the solver.")
@click.option(
    "--align/--no-align",
    default=True,
    show_default=True,
    help="Begin at the direct sound; else keep the delay.",
)
@with_options(RESULT_OPTIONS)
def identify(
    dry: str,
    wet: str,
    output: str,
    length: float,
    lead: float,
    regularisation: float,
    iterations: int,
    align: bool,
    as_json: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Find the response between a DRY recording and the same music WET: lift a reverb's sound.

    Any music does, best several times as long as the response and with sound in all octaves. Coherence tells how
    much of the wet recording each octave's response explains; covered, in how much of the octave there is music.

    \b
    Examples:
      reverb ir identify dry.wav through_plate.wav plate.wav --length 4
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.responses.measure.identify import identify as identify_response
    from reverb.store.sweep_files import load_played

    check_output(output, force)
    (x, rate, _), (y, wet_rate, _) = load_played(dry), load_played(wet)
    if rate != wet_rate:
        raise click.ClickException(f"{dry} has {rate} Hz, {wet} {wet_rate} Hz; they must be equal")
    found = identify_response(
        x,
        y,
        rate,
        length,
        lead=lead / 1000,
        regularisation=regularisation,
        iterations=iterations,
        align=align,
    )
    save_response(found.response, output, force)
    facts = {"delay (ms)": round(1000 * found.delay, 3), "unexplained (dB)": round(found.residual, 1)}
    bands = [asdict(band) for band in found.coherence]
    show_report(facts, found.objections, as_json, quiet, bands)


@click.command()
@click.argument("recording", metavar="RECORDING", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option("--length", type=float, metavar="S", help="Of the response.  [default: what is recorded]")
@click.option("--flatten/--no-flatten", default=True, show_default=True, help="Take the source's colour off.")
@click.option(
    "--direct",
    type=float,
    default=4.0,
    show_default=True,
    metavar="MS",
    help="From the direct sound to the first reflection.",
)
@click.option(
    "--limit", type=float, default=12.0, show_default=True, metavar="DB", help="Most to raise or lower."
)
@with_options(RESULT_OPTIONS)
def burst(
    recording: str,
    output: str,
    length: float | None,
    flatten: bool,
    direct: float,
    limit: float,
    as_json: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Make a response of a balloon pop or a clap.

    It is cut at the direct sound, whose spectrum is flattened as far as it can be known.

    \b
    Examples:
      reverb ir burst pop.wav cellar.wav --length 3
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.responses.measure.burst import from_burst
    from reverb.store.sweep_files import load_played

    check_output(output, force)
    samples, rate, _ = load_played(recording)
    made = from_burst(samples, rate, seconds=length, flatten=flatten, direct=direct / 1000, limit=limit)
    save_response(made.response, output, force)
    band = "-" if made.flattened is None else f"{made.flattened[0]:.0f} to {made.flattened[1]:.0f}"
    facts = {
        "flattened (Hz)": band,
        "correction (dB)": round(made.correction, 1),
        "decay range (dB)": round(made.dynamic_range, 1),
    }
    show_report(facts, made.objections, as_json, quiet)
