"""`reverb ir sweep|record|deconvolve`: measure a room's response with a sine sweep."""

from typing import TYPE_CHECKING, Any, TypedDict

import click

from reverb.cli.options import (
    CARD_RATE,
    FILE,
    FORCE,
    INPUT_CHANNELS,
    INPUT_DEVICE,
    OUTPUT_DEVICE,
    CardSettings,
    Channels,
    Milliseconds,
    grouped,
)
from reverb.cli.results import ReportOptions, report_options, save

if TYPE_CHECKING:
    from reverb.responses.measure.sweep_deconvolution import Measurement


class _SweepSettings(TypedDict, total=False):
    """The options of a sweep that are given, as `Sweep` takes them."""

    seconds: float
    low: float
    high: float
    level: float
    pause: float
    repetitions: int
    sources: int
    fade_in: float
    fade_out: float


class _CardSettings(CardSettings):
    """The options of the sound card, as `LiveSettings` takes them."""

    block_size: int


_sweep_options = grouped(
    "settings",
    _SweepSettings,
    click.option("--seconds", type=float, default=10.0, metavar="S", help="Length of one sweep."),
    click.option("--low", type=float, default=20.0, metavar="HZ", help="First frequency."),
    click.option(
        "--high", type=float, metavar="HZ", help="Last frequency.  [default: 20000, or near Nyquist]"
    ),
    click.option("--level", type=float, default=-6.0, metavar="DBFS", help="Peak level."),
    click.option(
        "--pause",
        type=float,
        default=3.0,
        metavar="S",
        help="Silence after each sweep; must be longer than the room's decay.",
    ),
    click.option(
        "--repetitions",
        type=int,
        default=1,
        help="Sweeps per source, which are averaged; two or more reveal clock drift.",
    ),
    click.option(
        "--sources",
        type=int,
        default=1,
        help="Loudspeakers, which play in turn, each on its own channel; 2 give true stereo.",
    ),
    click.option("--fade-in", type=Milliseconds(), default=50.0, metavar="MS", help="Fade-in of a sweep."),
    click.option("--fade-out", type=Milliseconds(), default=10.0, metavar="MS", help="Fade-out of a sweep."),
    only_given=True,
)
_card_options = grouped(
    "card",
    _CardSettings,
    INPUT_DEVICE,
    OUTPUT_DEVICE,
    INPUT_CHANNELS,
    click.option(
        "--output-channels",
        type=Channels(),
        metavar="N,N",
        help="Output channels for the loudspeakers, from 1.  [default: 1, 2, ...]",
    ),
    CARD_RATE,
    click.option("--block-size", type=int, default=1024, metavar="FRAMES", help="Frames per block."),
)
_LENGTH = click.option(
    "--length", type=float, metavar="S", help="Length of the response.  [default: that of the pause]"
)


@click.command()
@click.argument("output", metavar="OUT.wav", type=FILE)
@_sweep_options
@click.option("--sample-rate", type=int, default=48_000, metavar="HZ", help="Sample rate of the file.")
@click.option("--subtype", default="PCM_24", metavar="NAME", help="Sample format: PCM_16, PCM_24 or FLOAT.")
@click.option(
    "--inverse",
    metavar="FILE",
    type=FILE,
    help="Also write the inverse filter, for other convolvers (float).",
)
@FORCE
def sweep(
    output: str, settings: _SweepSettings, sample_rate: int, subtype: str, inverse: str | None, force: bool
) -> None:
    """Write the exponential sine sweep to play in a room (Farina 2000).

    Play it through a loudspeaker, record it with a microphone, then run: reverb ir deconvolve RECORDING OUT --sweep
    OUT.wav. A longer sweep, or more repetitions, lowers the noise. Start at a low volume: it sweeps all frequencies.

    \b
    Examples:
      reverb ir sweep sweep.wav --seconds 20 --pause 6
      reverb ir sweep pair.wav --sources 2 --repetitions 3
    """
    from reverb.responses.measure.sweep import Sweep, signal
    from reverb.responses.measure.sweep import inverse as inverse_filter
    from reverb.store.sweep_files import save_played

    made = Sweep(sample_rate=sample_rate, **settings)
    save_played(signal(made), made, output, subtype=subtype, overwrite=force)
    if inverse is not None:
        from reverb.responses.response import ImpulseResponse

        taps = inverse_filter(made)
        response = ImpulseResponse(taps, sample_rate, latency=len(taps) - 1)
        save(response, inverse, force=force, quiet=True)


@click.command()
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING...", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option(
    "--sweep",
    "played",
    metavar="FILE",
    type=FILE,
    help="The sweep that was played.  [default: the one noted in the recording]",
)
@_LENGTH
@click.option(
    "--lead", type=Milliseconds(), default=20.0, metavar="MS", help="Time to keep before the direct sound."
)
@click.option(
    "--drift/--no-drift", default=True, help="Correct the drift between two clocks, which repetitions reveal."
)
@report_options
def deconvolve(
    recordings: tuple[str, ...],
    output: str,
    played: str | None,
    length: float | None,
    lead: float,
    drift: bool,
    report: ReportOptions,
) -> None:
    """Turn the recording of a sweep into the response of the room, and report its quality.

    Two RECORDINGs, with the loudspeaker on the left in the first and on the right in the second, give a true stereo
    response; so does one recording of a sweep with two sources. Harmonic distortion is removed, and repetitions are
    averaged.

    \b
    Examples:
      reverb ir deconvolve recording.wav room.wav --sweep sweep.wav
      reverb ir deconvolve left.wav right.wav room.wav --sweep sweep.wav --length 4
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.responses.measure.sweep_deconvolution import deconvolve as measure
    from reverb.store.sweep_files import load_played

    check_output(output, report.force)
    takes = [load_played(path) for path in recordings]
    rate = takes[0][1]
    for path, (_, other, _) in zip(recordings, takes, strict=True):
        if other != rate:
            raise click.ClickException(
                f"{path} has {other} Hz, {recordings[0]} {rate} Hz; they must be equal"
            )
    known = takes[0][2]
    if played is not None:
        wave, wave_rate, known = load_played(played)
        if wave_rate != rate:
            raise click.ClickException(
                f"the sweep has {wave_rate} Hz, the recording {rate} Hz; they must be equal"
            )
    elif known is None:
        raise click.UsageError(
            "the recording does not note the sweep that was played; give it with --sweep FILE"
        )
    measured = measure(
        [take[0] for take in takes], rate, known or wave, seconds=length, lead=lead, correct_drift=drift
    )
    save(measured.response, output, force=report.force, quiet=True)
    _show(measured, report)


@click.command()
@click.argument("recording", metavar="RECORDING.wav", type=FILE)
@_sweep_options
@_card_options
@click.option("--response", metavar="OUT", type=FILE, help="Also write the response.")
@_LENGTH
@report_options
def record(
    recording: str,
    settings: _SweepSettings,
    card: _CardSettings,
    response: str | None,
    length: float | None,
    report: ReportOptions,
) -> None:
    """Play a sweep through the sound card and record the room.

    The sweep is noted in the recording, so that reverb ir deconvolve RECORDING OUT needs no --sweep. Turn the level
    down first.

    \b
    Examples:
      reverb ir record take.wav --response room.wav --seconds 15
      reverb ir record take.wav --sources 2 --output-channels 1,2 --input-channels 1,2 --response hall.wav
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.live.play_record import card_setup, play_and_record
    from reverb.live.settings import LiveSettings
    from reverb.responses.measure.sweep import Sweep, signal
    from reverb.responses.measure.sweep_deconvolution import deconvolve as measure
    from reverb.store.sweep_files import save_played

    for path in filter(None, (recording, response)):
        check_output(path, report.force)
    setup = card_setup(LiveSettings(**card, latency="high"), settings["sources"])
    made = Sweep(sample_rate=setup.stream.sample_rate, **settings)
    sound = signal(made)
    with click.progressbar(
        length=len(sound), label="measuring", hidden=report.quiet or report.as_json
    ) as bar:
        taken = play_and_record(
            sound, setup, progress=lambda seconds: bar.update(int(seconds * made.sample_rate) - bar.pos)
        )
    save_played(taken.samples, made, recording, subtype="FLOAT", overwrite=report.force)
    if taken.dropouts:
        click.echo(
            f"Warning: the card lost {taken.dropouts} blocks; try a larger --block-size and measure again",
            err=True,
        )
    if response is not None:
        measured = measure(taken.samples, taken.sample_rate, made, seconds=length)
        save(measured.response, response, force=report.force, quiet=True)
        _show(measured, report)


def _show(measured: "Measurement", report: ReportOptions) -> None:
    def rounded(value: float | None, digits: int = 1) -> float | None:
        return None if value is None or abs(value) == float("inf") else round(value, digits)

    facts: dict[str, Any] = {
        "layout": measured.response.layout,
        "length (s)": rounded(measured.response.seconds, 3),
        "band (Hz)": "{:.0f} to {:.0f}".format(*measured.band),
        "decay range (dB)": rounded(measured.dynamic_range),
        "sweep over noise (dB)": rounded(measured.signal_to_noise),
        "clock drift (ppm)": rounded(measured.drift, 2),
        "repetitions": measured.repetitions,
        "repetitions agree to (dB)": rounded(measured.agreement),
    }
    for number, level in enumerate(measured.harmonics, 2):
        facts[f"harmonic {number} (dB)"] = rounded(level)
    report.show({name: value for name, value in facts.items() if value is not None}, measured.objections)
