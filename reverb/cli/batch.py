"""`reverb batch`: many files, in parallel."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import click

from reverb.cli.apply import RoomSettings, room_options
from reverb.cli.batch_progress import listening, summary
from reverb.cli.options import FILE, FOLDER, LAYOUT, NumberOrRange, complete_preset, complete_response
from reverb.cli.rendering import OutputOptions, output_options
from reverb.cli.results import number, show_table

if TYPE_CHECKING:
    from reverb.render.batch.batch import Batch
    from reverb.render.batch.tasks import Augment, Treatment
    from reverb.render.settings import RenderSettings

_INTERRUPTED = 130
_Value: TypeAlias = float | tuple[float, float] | None
"""A number, or a range to draw from."""


class _Drawn(NamedTuple):
    """The options that may be ranges; pre-delay in seconds."""

    mix: _Value
    predelay: _Value
    gain: _Value

    def fixed(self, name: str) -> float | None:
        """Return an option's number, or None for a range."""
        value: _Value = getattr(self, name)
        return None if isinstance(value, tuple) else value

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the options that are ranges."""
        return {name: value for name, value in self._asdict().items() if isinstance(value, tuple)}


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=FILE)
@click.option(
    "-o",
    "--output-dir",
    required=True,
    metavar="DIR",
    type=FOLDER,
    help="Folder of the outputs; created if it does not exist.",
)
@click.option(
    "--ir",
    "responses",
    multiple=True,
    metavar="NAME_OR_FILE",
    shell_complete=complete_response,
    help="Impulse response: a name that `reverb ir list` shows, or an audio file. Each file is rendered with each.",
)
@click.option(
    "--chain",
    "chains",
    multiple=True,
    metavar="PRESET",
    shell_complete=complete_preset,
    help="Preset, by name or file. Several are possible, also together with --ir.",
)
@click.option(
    "--mix",
    type=NumberOrRange(),
    metavar="0..1",
    help="For --ir: share of the room in the sound, at constant loudness.  [default: 0.3]",
)
@click.option(
    "--predelay",
    type=NumberOrRange(divisor=1000),
    default=0.0,
    metavar="MS",
    help="For --ir: delay of the room.",
)
@LAYOUT
@room_options
@click.option("--gain", type=NumberOrRange(), default=0.0, metavar="DB", help="Change the outputs' level.")
@output_options
@click.option("--allow-outside", is_flag=True, help="Let presets read files outside their own folders.")
@click.option(
    "--name-template",
    metavar="TEXT",
    help="Output name without ending, from {stem}, {folder}, {root}, {ir}, {chain}, {variant}, {index}.  "
    "[default: {folder}/{stem}, with -{ir} or -{variant} if there are several]",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and render nothing.")
@click.option(
    "--resume", is_flag=True, help="Keep outputs of an earlier run with the same input content and settings."
)
@click.option("--report", metavar="FILE", type=FILE, help="Also write the outcomes to a .csv or .jsonl file.")
@click.option(
    "--augment", type=click.IntRange(1), metavar="N",
    help="For training data: draw N variants of each file. --mix, --predelay and --gain may be ranges (0.1..0.5).",
)  # fmt: skip
@click.option("--seed", type=int, default=0, help="For --augment: seed of the random draws.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Files rendered at once.  [default: one per core]",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Render on the Dask cluster with this address, such as tcp://host:8786.",
)
def batch(
    inputs: tuple[str, ...],
    output_dir: str,
    responses: tuple[str, ...],
    chains: tuple[str, ...],
    mix: _Value,
    predelay: _Value,
    layout: str | None,
    settings: RoomSettings,
    gain: _Value,
    options: OutputOptions,
    allow_outside: bool,
    name_template: str | None,
    dry_run: bool,
    resume: bool,
    report: str | None,
    augment: int | None,
    seed: int,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Render many files: INPUTS are files, folders (searched recursively), globs and URLs.

    Outputs keep their path relative to the named folder. A file that fails does not stop the others. One line of
    JSON per output is written to reverb-batch.jsonl in the output folder; --resume continues an interrupted batch
    (see docs/batch.md).

    \b
    Examples:
      reverb batch takes/ -o wet/ --ir hall --mix 0.2
      reverb batch 'drums/**/*.flac' -o rooms/ --ir room --ir plate --name-template '{ir}/{folder}/{stem}'
      reverb batch album/ -o master/ --chain wide-master --loudness -14 --ceiling -1 --report master.csv
      reverb batch speech/ -o set/ --ir room --ir hall --augment 4 --seed 1 --mix 0.1..0.6 --predelay 0..40
    """
    from reverb.effects.fold import FLOOR_DB
    from reverb.render.batch.batch import plan_batch, run_batch

    if not responses and not chains:
        raise click.UsageError("Missing option '--ir' or '--chain'.")
    drawn = _Drawn(mix, predelay, gain)
    fixed_gain = drawn.fixed("gain") or 0.0
    planned = plan_batch(
        inputs,
        output_dir,
        [
            *_rooms(responses, layout, drawn, settings, options.settings(fixed_gain)),
            *_chains(chains, allow_outside, options.matching_loudness().settings(fixed_gain, FLOOR_DB)),
        ],
        name_template=name_template,
        augment=_augment(drawn, augment, seed),
    )
    if dry_run:
        _show_plan(planned, output_dir)
        return
    with listening(planned, hidden=options.quiet) as listener:
        try:
            result = run_batch(
                planned,
                resume=resume,
                overwrite=options.force,
                report=report,
                workers=workers,
                scheduler=scheduler,
                progress=listener,
            )
        except KeyboardInterrupt:
            raise _Interrupted(listener.count, len(planned.tasks)) from None
    if not options.quiet:
        summary(result)
    if result.journal_error is not None:
        raise click.ClickException(result.journal_error)
    if not result.succeeded:
        raise click.ClickException(f"{result.count('failed')} of {result.planned} outputs could not be made")


class _Interrupted(click.ClickException):
    exit_code = _INTERRUPTED

    def __init__(self, done: int, planned: int) -> None:
        super().__init__(
            f"interrupted after {done} of {planned} outputs; run the same command with --resume to continue"
        )


def _rooms(
    responses: Sequence[str],
    layout: str | None,
    drawn: _Drawn,
    settings: RoomSettings,
    rendering: "RenderSettings",
) -> "list[Treatment]":
    """Return a treatment for each response."""
    from reverb.effects.reverb import Reverb
    from reverb.render.batch.tasks import Treatment
    from reverb.store.library import impulse

    if isinstance(drawn.mix, tuple) and not (settings["wet"] is settings["dry"] is None):
        raise click.UsageError("--mix excludes --wet and --dry; give either.")
    mix, predelay = drawn.fixed("mix"), drawn.fixed("predelay") or 0.0
    return [
        Treatment(
            _stem(text), Reverb(impulse(text, layout), mix=mix, predelay=predelay, **settings), rendering
        )
        for text in responses
    ]


def _chains(chains: Sequence[str], allow_outside: bool, rendering: "RenderSettings") -> "list[Treatment]":
    """Return a treatment for each preset."""
    from reverb.render.batch.tasks import Treatment
    from reverb.store.presets import load_preset

    presets = [load_preset(text, allow_outside=allow_outside) for text in chains]
    return [Treatment(preset.name, preset.effect, rendering) for preset in presets]


def _stem(text: str) -> str:
    """Return the name of a response in output names: its name in the library, or its file's stem."""
    from reverb.store.library import names

    return text if text in names() else text.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or text


def _augment(drawn: _Drawn, variants: int | None, seed: int) -> "Augment | None":
    from reverb.render.batch.tasks import Augment

    ranges = drawn.ranges()
    if variants is not None:
        return Augment(variants=variants, seed=seed, **ranges)
    for name, (low, high) in ranges.items():
        unit = 1000 if name == "predelay" else 1
        raise click.UsageError(
            f"--{name} {unit * low:g}..{unit * high:g} is a range; --augment N draws from it."
        )
    return None


def _show_plan(planned: "Batch", output_dir: str) -> None:
    """Print a table of all outputs with their inputs, effects and values."""
    rows = [["input", "effect", "mix", "predelay ms", "gain dB", "output", ""]]
    existing = planned.folder.existing(task.output for task in planned.tasks)
    for task in planned.tasks:
        applied = planned.applied(task)
        mix, predelay = (getattr(applied.effect, name, None) for name in ("mix", "predelay"))
        rows.append(
            [
                click.format_filename(task.source),
                task.treatment,
                number(mix, 2),
                number(None if predelay is None else 1000 * predelay, 2),
                number(applied.settings.gain, 2),
                click.format_filename(task.output),
                task.problem or ("exists" if task.output in existing else ""),
            ]
        )
    show_table(rows)
    click.echo(f"\n{len(planned.tasks)} outputs in {click.format_filename(output_dir)}; nothing was done")
