"""`reverb batch`: many files, in parallel."""

from typing import TYPE_CHECKING, Any

import click

from reverb.cli.apply import complete_response, room_options
from reverb.cli.batch_progress import showing, summary
from reverb.cli.chain import complete_preset
from reverb.cli.options import FILE, FOLDER
from reverb.cli.ranges import NumberOrRange
from reverb.cli.rendering import batch_options
from reverb.cli.tables import number, show_table

if TYPE_CHECKING:
    from reverb.render.batch.augment import Augment
    from reverb.render.batch.batch import Batch
    from reverb.render.batch.tasks import Settings, Treatment

_SETTINGS = ("tail", "loudness", "ceiling", "container", "subtype", "dither")
_ROOM = ("wet", "dry", "level", "decay", "low_cut", "high_cut", "width")
_RANGES = ("mix", "predelay", "gain")
_INTERRUPTED = 130


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=FILE)
@click.option(
    "-o",
    "--output-dir",
    required=True,
    metavar="DIR",
    type=FOLDER,
    help="Folder of the outputs, made where it is not there.",
)
@click.option(
    "--ir",
    "responses",
    multiple=True,
    metavar="NAME_OR_FILE",
    shell_complete=complete_response,
    help="Impulse response: a name that `reverb ir list` shows, or an audio file. Several: each file through each.",
)
@click.option(
    "--chain",
    "chains",
    multiple=True,
    metavar="PRESET",
    shell_complete=complete_preset,
    help="Preset, by name or file, likewise several, beside those of --ir.",
)
@click.option(
    "--mix", type=NumberOrRange(), metavar="0..1", help="Share of the room, with --ir.  [default: 0.3]"
)
@click.option(
    "--predelay", type=NumberOrRange(), default=0.0, metavar="MS", help="Delay of the room, with --ir."
)
@room_options
@click.option("--gain", type=NumberOrRange(), default=0.0, metavar="DB", help="Change the results' level.")
@batch_options
@click.option("--allow-outside", is_flag=True, help="Let presets read files outside their own folders.")
@click.option(
    "--name-template",
    metavar="TEXT",
    help="Of outputs, without ending: {stem}, {folder}, {root}, {ir}, {chain}, {variant}, {index}.  "
    "[default: {folder}/{stem}, with -{ir} or -{variant} where there are several]",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done.")
@click.option("--resume", is_flag=True, help="Keep what an earlier run has done, by content and settings.")
@click.option("--report", metavar="FILE", type=FILE, help="Write the outcomes as .csv or .jsonl, too.")
@click.option(
    "--augment", type=click.IntRange(1), metavar="N",
    help="Training data: draw N variants of each file. --mix, --predelay and --gain may be ranges (0.1..0.5).",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="For --augment.")
@click.option(
    "--workers", type=click.IntRange(1, 1024), metavar="N", help="Files at once.  [default: one per core]"
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Of a Dask cluster that does the work, such as tcp://host:8786."
)
def batch(
    inputs: tuple[str, ...],
    output_dir: str,
    name_template: str | None,
    dry_run: bool,
    resume: bool,
    report: str | None,
    workers: int | None,
    scheduler: str | None,
    force: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Render many files: INPUTS are files, folders with all below them, globs and URLs.

    Outputs keep their place below the folder that was named. One file that fails does not stop the others. A line of
    JSON for each goes to reverb-batch.jsonl in the output folder; after an interruption --resume goes on (see
    docs/batch.md).

    \b
    Examples:
      reverb batch takes/ -o wet/ --ir hall --mix 0.2
      reverb batch 'drums/**/*.flac' -o rooms/ --ir room --ir plate --name-template '{ir}/{folder}/{stem}'
      reverb batch album/ -o master/ --chain wide-master --loudness -14 --ceiling -1 --report master.csv
      reverb batch speech/ -o set/ --ir room --ir hall --augment 4 --seed 1 --mix 0.1..0.6 --predelay 0..40
    """
    from reverb.render.batch.batch import plan_batch, run_batch

    planned = plan_batch(
        inputs, output_dir, _treatments(options), name_template=name_template, augment=_augment(options)
    )
    if dry_run:
        _show_plan(planned, output_dir)
        return
    with showing(planned, hidden=quiet) as listener:
        try:
            result = run_batch(
                planned,
                resume=resume,
                overwrite=force,
                report=report,
                workers=workers,
                scheduler=scheduler,
                progress=listener,
            )
        except KeyboardInterrupt:
            raise _Interrupted(listener.count, len(planned.tasks)) from None
    if not quiet:
        summary(result)
    if result.trouble is not None:
        raise click.ClickException(result.trouble)
    if not result.succeeded:
        raise click.ClickException(f"{result.count('failed')} of {result.planned} outputs could not be made")


class _Interrupted(click.ClickException):
    exit_code = _INTERRUPTED

    def __init__(self, done: int, planned: int) -> None:
        super().__init__(
            f"interrupted after {done} of {planned} outputs; the same command with --resume goes on"
        )


def _treatments(options: dict[str, Any]) -> "list[Treatment]":
    """Return what files go through: each response, then each chain."""
    from reverb.effects.folding import FLOOR_DB
    from reverb.effects.reverb import Reverb
    from reverb.render.batch.tasks import Treatment
    from reverb.store.library import impulse
    from reverb.store.presets import load_preset

    fixed = {name: None if isinstance(options[name], tuple) else options[name] for name in _RANGES}
    if isinstance(options["mix"], tuple) and not (options["wet"] is options["dry"] is None):
        raise click.UsageError("--mix stands beside --wet or --dry; give either.")
    found = []
    for text in options["responses"]:
        effect = Reverb(
            impulse(text, options["layout"]),
            mix=fixed["mix"],
            predelay=(fixed["predelay"] or 0.0) / 1000,
            **{name: options[name] for name in _ROOM},
        )
        found.append(Treatment(_stem(text), effect, _settings(options, fixed["gain"])))
    for text in options["chains"]:
        preset = load_preset(text, allow_outside=options["allow_outside"])
        settings = _settings(options, fixed["gain"], match_loudness=True, floor_db=FLOOR_DB)
        found.append(Treatment(preset.name, preset.effect, settings))
    if not found:
        raise click.UsageError("Missing option '--ir' or '--chain'.")
    return found


def _stem(text: str) -> str:
    """Return the name by which outputs call a response of the library or of a file."""
    from reverb.store.library import names

    return text if text in names() else text.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or text


def _settings(
    options: dict[str, Any],
    gain: float | None,
    *,
    match_loudness: bool = False,
    floor_db: float | None = None,
) -> "Settings":
    """Return how files are rendered; `match_loudness` is what happens where the command line does not say."""
    from reverb.render.batch.tasks import Settings

    matched = options["match_loudness"]
    if matched is None:
        matched = match_loudness and options["loudness"] is None and options["normalize"] == "none"
    return Settings(
        **{name: options[name] for name in _SETTINGS},
        gain=gain or 0.0,
        normalize=options["normalize"],
        match_loudness=matched,
        floor_db=floor_db,
    )


def _augment(options: dict[str, Any]) -> "Augment | None":
    from reverb.render.batch.augment import Augment

    ranges = {name: options[name] for name in _RANGES if isinstance(options[name], tuple)}
    if options["augment"] is None:
        for name, (low, high) in ranges.items():
            raise click.UsageError(f"--{name} {low:g}..{high:g} is a range; --augment N draws from it.")
        return None
    if "predelay" in ranges:
        low, high = ranges["predelay"]
        ranges["predelay"] = (low / 1000, high / 1000)
    return Augment(variants=options["augment"], seed=options["seed"], **ranges)


def _show_plan(planned: "Batch", output_dir: str) -> None:
    """List every output with what it would be made of."""
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
