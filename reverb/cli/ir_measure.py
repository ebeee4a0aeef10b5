"""`reverb ir sweep|record|deconvolve`: from a room to its response, by a sine sweep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from reverb.cli.measured import RESULT_OPTIONS, save_response, show_report
from reverb.cli.options import FILE, with_options

if TYPE_CHECKING:
    from reverb.responses.measure.deconvolution import Measurement
    from reverb.responses.measure.sweep import Sweep

_SWEEP_OPTIONS = (
    click.option("--seconds", type=float, default=10.0, show_default=True, metavar="S", help="Of one sweep."),
    click.option("--low", type=float, default=20.0, show_default=True, metavar="HZ", help="First frequency."),
    click.option(
        "--high", type=float, metavar="HZ", help="Last frequency.  [default: 20000, or near Nyquist]"
    ),
    click.option("--level", type=float, default=-6.0, show_default=True, metavar="DBFS", help="Peak."),
    click.option(
        "--pause",
        type=float,
        default=3.0,
        show_default=True,
        metavar="S",
        help="Silence after each sweep: longer than the room rings.",
    ),
    click.option(
        "--repetitions",
        type=int,
        default=1,
        show_default=True,
        help="Sweeps to average, per source; two tell a clock's drift.",
    ),
    click.option(
        "--sources",
        type=int,
        default=1,
        show_default=True,
        help="Loudspeakers in turn, a channel each; 2 give true stereo.",
    ),
    click.option("--fade-in", type=float, default=50.0, show_default=True, metavar="MS"),
    click.option("--fade-out", type=float, default=10.0, show_default=True, metavar="MS"),
)
_CARD_OPTIONS = (
    click.option("--input-device", metavar="DEVICE", help="Number or part of a name; see reverb devices."),
    click.option("--output-device", metavar="DEVICE", help="Likewise."),
    click.option("--input-channels", metavar="N,N", help="Microphones, from 1.  [default: 1,2]"),
    click.option("--output-channels", metavar="N,N", help="Loudspeakers, from 1.  [default: 1, 2, ...]"),
    click.option("--sample-rate", type=int, metavar="HZ", help="[default: the card's]"),
    click.option("--block-size", type=int, default=1024, show_default=True, metavar="FRAMES"),
)
_LENGTH = click.option("--length", type=float, metavar="S", help="Of the response.  [default: the pause]")


@click.command()
@click.argument("output", metavar="OUT.wav", type=FILE)
@with_options(_SWEEP_OPTIONS)
@click.option("--sample-rate", type=int, default=48_000, show_default=True, metavar="HZ")
@click.option("--subtype", default="PCM_24", show_default=True, metavar="NAME", help="PCM_16, PCM_24, FLOAT.")
@click.option(
    "--inverse", metavar="FILE", type=FILE, help="Write the inverse filter too, for other convolvers (float)."
)
@click.option("--force", is_flag=True, help="Replace an existing output.")
def sweep(
    output: str, sample_rate: int, subtype: str, inverse: str | None, force: bool, **options: Any
) -> None:
    """Write the exponential sine sweep to play in a room (Farina 2000).

    Play it through a loudspeaker, record it with a microphone, then: reverb ir deconvolve RECORDING OUT --sweep
    OUT.wav. A longer sweep, or more repetitions, buys less noise. Begin softly: it passes through all frequencies.

    \b
    Examples:
      reverb ir sweep sweep.wav --seconds 20 --pause 6
      reverb ir sweep pair.wav --sources 2 --repetitions 3
    """
    from reverb.responses.measure.sweep import inverse as inverse_filter
    from reverb.responses.measure.sweep import signal
    from reverb.store.sweep_files import save_played

    made = _made(sample_rate, options)
    save_played(signal(made), made, output, subtype=subtype, overwrite=force)
    if inverse is not None:
        from reverb.responses.response import ImpulseResponse

        taps = inverse_filter(made)
        save_response(ImpulseResponse(taps, sample_rate, latency=len(taps) - 1), inverse, force)


@click.command()
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING...", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option(
    "--sweep", "played", metavar="FILE", type=FILE, help="What was played.  [default: as the recording tells]"
)
@_LENGTH
@click.option(
    "--lead", type=float, default=20.0, show_default=True, metavar="MS", help="Kept before the direct sound."
)
@click.option(
    "--drift/--no-drift",
    default=True,
    show_default=True,
    help="Undo a drift between two clocks, which repetitions tell.",
)
@with_options(RESULT_OPTIONS)
def deconvolve(
    recordings: tuple[str, ...],
    output: str,
    played: str | None,
    length: float | None,
    lead: float,
    drift: bool,
    as_json: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Turn the recording of a sweep into the response of the room, and say how good it is.

    Two RECORDINGs, the loudspeaker left in the first and right in the second, make a true stereo response, as one
    recording of a sweep with two sources does. Harmonic distortion is cut away, repetitions are averaged.

    \b
    Examples:
      reverb ir deconvolve recording.wav room.wav --sweep sweep.wav
      reverb ir deconvolve left.wav right.wav room.wav --sweep sweep.wav --length 4
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.store.sweep_files import load_played

    check_output(output, force)
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
        raise click.UsageError("the recording does not tell what was played; give it with --sweep FILE")
    measured = _deconvolved([take[0] for take in takes], rate, known or wave, length, lead, drift)
    save_response(measured.response, output, force)
    _show(measured, as_json, quiet)


@click.command()
@click.argument("recording", metavar="RECORDING.wav", type=FILE)
@with_options(_SWEEP_OPTIONS, _CARD_OPTIONS)
@click.option("--response", metavar="OUT", type=FILE, help="Write the response too, at once.")
@_LENGTH
@with_options(RESULT_OPTIONS)
def record(
    recording: str,
    response: str | None,
    length: float | None,
    as_json: bool,
    force: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Play a sweep through the sound card, and record the room meanwhile.

    The recording knows what was played: reverb ir deconvolve RECORDING OUT needs no more. Turn the level down first.

    \b
    Examples:
      reverb ir record take.wav --response room.wav --seconds 15
      reverb ir record take.wav --sources 2 --output-channels 1,2 --input-channels 1,2 --response hall.wav
    """
    from reverb.audiofiles.outputs import check_output
    from reverb.live.play_record import card_setup, play_and_record
    from reverb.live.settings import LiveSettings
    from reverb.responses.measure.sweep import signal
    from reverb.store.sweep_files import save_played

    for path in filter(None, (recording, response)):
        check_output(path, force)
    card: dict[str, Any] = {name: options.pop(name) for name in _CARD_NAMES}
    for name in ("input_channels", "output_channels"):
        card[name] = _channels(card[name])
    settings = LiveSettings(**card, latency="high")
    setup = card_setup(settings, options["sources"])
    made = _made(setup.stream.sample_rate, options)
    sound = signal(made)
    with click.progressbar(length=len(sound), label="measuring", hidden=quiet or as_json) as bar:
        taken = play_and_record(
            sound, setup, progress=lambda seconds: bar.update(int(seconds * made.sample_rate) - bar.pos)
        )
    save_played(taken.samples, made, recording, subtype="FLOAT", overwrite=force)
    if taken.dropouts:
        click.echo(
            f"Warning: the card lost {taken.dropouts} blocks; try a larger --block-size and measure again",
            err=True,
        )
    if response is not None:
        measured = _deconvolved([taken.samples], taken.sample_rate, made, length, 20.0, True)
        save_response(measured.response, response, force)
        _show(measured, as_json, quiet)


_CARD_NAMES = (
    "input_device",
    "output_device",
    "input_channels",
    "output_channels",
    "sample_rate",
    "block_size",
)


def _made(sample_rate: int, options: dict[str, Any]) -> "Sweep":
    from reverb.responses.measure.sweep import Sweep

    times = {name: options.pop(name) / 1000 for name in ("fade_in", "fade_out")}
    high = options.pop("high")
    return Sweep(sample_rate=sample_rate, high=0.0 if high is None else high, **times, **options)


def _channels(text: str | None) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"channels {text!r}; expected numbers from 1, such as 1,2") from error


def _deconvolved(
    takes: Sequence[Any], rate: int, played: Any, length: float | None, lead: float, drift: bool
) -> "Measurement":
    from reverb.responses.measure.deconvolution import deconvolve as divide

    return divide(takes, rate, played, seconds=length, lead=lead / 1000, correct_drift=drift)


def _show(measured: "Measurement", as_json: bool, quiet: bool) -> None:
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
    show_report(
        {name: value for name, value in facts.items() if value is not None},
        measured.objections,
        as_json,
        quiet,
    )
