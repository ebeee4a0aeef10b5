"""`reverb chain`: a preset, folded into one convolution."""

from typing import TYPE_CHECKING

import click

from reverb.cli.options import FILE, complete_preset
from reverb.cli.rendering import RenderOptions, render, render_options
from reverb.cli.results import show_table

if TYPE_CHECKING:
    from reverb.effects.tree import Explanation, StepReport
    from reverb.store.presets import Preset

_EXPLAINED_RATE = 48_000
_TEXT_WIDTH = 72


@click.command()
@click.argument("preset", required=False, shell_complete=complete_preset)
@click.argument("source", metavar="[INPUT]", required=False, type=FILE)
@click.argument("destination", metavar="[OUTPUT]", required=False, type=FILE)
@click.option("--list", "listing", is_flag=True, help="List the bundled presets.")
@click.option(
    "--explain", "explaining", is_flag=True, help="Show what each step does: lengths, latencies, gains."
)
@click.option(
    "--export-ir",
    metavar="FILE",
    type=FILE,
    help="Write the folded response, for any convolver (.wav, .flac, ...).",
)
@click.option(
    "--sample-rate",
    type=click.IntRange(1),
    metavar="HZ",
    help=f"For --explain and --export-ir.  [default: {_EXPLAINED_RATE}]",
)
@click.option(
    "--trim/--no-trim",
    default=True,
    help="Leave out the ends of the folded response below -120 dB of its peak.",
)
@click.option("--allow-outside", is_flag=True, help="Let the preset read files outside its own folder.")
@render_options
def chain(
    preset: str | None,
    source: str | None,
    destination: str | None,
    options: RenderOptions,
    listing: bool,
    explaining: bool,
    export_ir: str | None,
    sample_rate: int | None,
    trim: bool,
    allow_outside: bool,
) -> None:
    """Apply a chain of filters, reverbs, echoes and more to INPUT, and write OUTPUT.

    PRESET is a name that --list shows, or a TOML file (see docs/presets.md). The output is as loud as the input, unless
    --keep-level, --loudness or --normalize says otherwise.

    \b
    Examples:
      reverb chain --list
      reverb chain vocal-plate voice.wav out.wav
      reverb chain my_chain.toml in.wav out.wav --loudness -16 --ceiling -1
      reverb chain telephone --explain
      reverb chain string-hall --export-ir hall.wav --sample-rate 44100
    """
    from reverb.effects.fold import FLOOR_DB
    from reverb.store.presets import load_preset

    if listing:
        _list()
        return
    if preset is None:
        raise click.UsageError("Missing argument 'PRESET'; --list shows the bundled ones.")
    if source is None and not (explaining or export_ir):
        raise click.UsageError("Missing argument 'INPUT'; or give --explain or --export-ir.")
    if source is not None and destination is None:
        raise click.UsageError("Missing argument 'OUTPUT'.")
    loaded = load_preset(preset, allow_outside=allow_outside)
    floor_db = FLOOR_DB if trim else None
    if explaining:
        _explain(loaded, sample_rate or _EXPLAINED_RATE)
    if export_ir:
        _export(loaded, export_ir, sample_rate or _EXPLAINED_RATE, floor_db, options)
    if source is not None and destination is not None:
        render(options.matching_loudness().of(source, destination), loaded.effect, floor_db)


def _list() -> None:
    from reverb.store.presets import presets

    show_table([("name", "what"), *((preset.name, preset.description) for preset in presets())])


def _export(
    preset: "Preset", path: str, sample_rate: int, floor_db: float | None, options: RenderOptions
) -> None:
    """Write the folded response as float32, which every convolver reads."""
    from reverb.effects.fold import portable
    from reverb.store.response_files import save_response

    response = portable(preset.effect.response(sample_rate), preset.name, floor_db)
    save_response(response, path, overwrite=options.force)
    if not options.quiet:
        late = f", the first {response.latency} before time zero" if response.latency else ""
        click.echo(
            f"{click.format_filename(path)}: {response.layout}, {response.frames} frames at {sample_rate} Hz{late}"
        )


def _explain(preset: "Preset", sample_rate: int) -> None:
    from reverb.effects.tree import explain

    explanation = explain(preset.effect, sample_rate)
    if preset.description:
        click.echo(f"{preset.name}: {preset.description}")
    click.echo(f"at {sample_rate} Hz; gains in dB for pink noise in octaves\n")
    show_table(_rows(explanation))
    whole = explanation.whole
    click.echo(
        f"\nfolded: {whole.frames} frames ({whole.frames / sample_rate:.3f} s), {explanation.trimmed} above -120 dB; "
        f"latency {whole.latency} frames ({1000 * whole.latency / sample_rate:.1f} ms)"
    )
    for number, step in enumerate(explanation.steps, 1):
        if len(step.text) > _TEXT_WIDTH:
            click.echo(f"{number}: {step.text}")


def _rows(explanation: "Explanation") -> list[list[str]]:
    bands = [f"{band / 1000:g}k" if band >= 1000 else f"{band:g}" for band in explanation.bands]
    rows = [["", "step", "layout", "frames", "latency", "folded", *bands]]
    for number, step in enumerate(explanation.steps, 1):
        rows.append([str(number), *_row(step)])
    return [*rows, ["", *_row(explanation.whole)]]


def _row(step: "StepReport") -> list[str]:
    text = step.text if len(step.text) <= _TEXT_WIDTH else f"{step.text[: _TEXT_WIDTH - 3]}..."
    gains = (f"{gain:+.1f}" if gain > -100 else "-inf" for gain in step.gains)
    return [text, step.layout, str(step.frames), str(step.latency), str(step.folded), *gains]
