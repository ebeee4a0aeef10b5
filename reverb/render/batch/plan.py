"""Plan a batch: from inputs and treatments to tasks, whose output names come from a template with fields in braces."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Formatter

from reverb.audiofiles.files import FORMATS, output_format
from reverb.errors import ParameterError
from reverb.render.batch.augment import Augment
from reverb.render.batch.inputs import Input
from reverb.render.batch.tasks import Draw, Task, Treatment

_USUAL_ENDING = ".wav"
FIELDS = {
    "stem": "the input's name without its ending",
    "folder": "its folder, relative to the one that was named",
    "root": "the name of the folder that was named",
    "ir": "the response's or chain's name",
    "chain": "the same",
    "variant": "1 ... N of --augment; {variant:03d} for leading zeros",
    "index": "the input's number, from 1",
}
"""The fields of a name template, and their meaning."""


def plan(
    inputs: Sequence[Input],
    treatments: Sequence[Treatment],
    *,
    template: str | None = None,
    augment: Augment | None = None,
) -> tuple[Task, ...]:
    """Return the tasks in the order of the inputs, those of one input in the order of treatments or variants.

    Parameters
    ----------
    inputs : sequence of Input
    treatments : sequence of Treatment
        Each input is rendered with each of them.
    template : str, optional
        Of the outputs' names, with `FIELDS` in braces.
    augment : Augment, optional
        Draw variants instead.

    Raises
    ------
    ParameterError
        If two outputs would have the same name, or the template is not valid.
    """
    template = template or usual_template(len(treatments), augment is not None)
    check_template(template)
    _check_treatments(treatments)
    by_name = {treatment.name: treatment for treatment in treatments}
    tasks: dict[str, Task] = {}
    for index, one in enumerate(inputs, 1):
        for name, draw in _variants(one, list(by_name), augment):
            output = output_name(template, _fields(one, index, name, draw), _ending(one, by_name[name]))
            if output in tasks:
                raise ParameterError(
                    f"{tasks[output].source} and {one.path} would both become {output}; name their parent folder, or "
                    "add {root}, {folder}, {ir}, {variant} or {index} to the name template"
                )
            tasks[output] = Task(
                source=one.path, output=output, treatment=name, draw=draw, problem=one.problem
            )
    return tuple(tasks.values())


def _check_treatments(treatments: Sequence[Treatment]) -> None:
    names = [treatment.name for treatment in treatments]
    if not names:
        raise ParameterError("no effect to apply; give at least one response or chain")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ParameterError(f"two effects are named {min(twice)!r}; expected different names")
    for treatment in treatments:
        if treatment.settings.container is not None:
            output_format("", treatment.settings.container)  # raises if the name is unknown


def _variants(one: Input, names: Sequence[str], augment: Augment | None) -> Iterator[tuple[str, Draw | None]]:
    if augment is None:
        yield from ((name, None) for name in names)
        return
    for variant in range(1, augment.variants + 1):
        yield augment.draw(one.relative.as_posix(), variant, names)


def _fields(one: Input, index: int, name: str, draw: Draw | None) -> dict[str, object]:
    folder = one.relative.parent.as_posix()
    label = name.replace("/", "-")
    return {
        "stem": one.relative.stem,
        "folder": "" if folder == "." else folder,
        "root": one.root,
        "ir": label,
        "chain": label,
        "variant": draw.variant if draw else 1,
        "index": index,
    }


def _ending(one: Input, treatment: Treatment) -> str:
    """Return the ending of an output's name: that of its format, or the input's own."""
    if (container := treatment.settings.container) is not None:
        return next(ending for ending, name in FORMATS.items() if name == container.upper())
    ending = one.relative.suffix
    return ending if ending.lower() in FORMATS else _USUAL_ENDING


def check_template(template: str) -> None:
    """Raise ParameterError for a template that is not valid.

    Examples
    --------
    >>> check_template("{folder}/{stem}-{ir}")
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ParameterError(f"name template {template!r}: {error}") from error
    for _, name, spec, _ in parts:
        if name is not None and (name not in FIELDS or "{" in (spec or "")):
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise ParameterError(f"name template {template!r}: unknown {{{name}}}; expected {known}")


def usual_template(treatments: int, variants: bool) -> str:
    """Return the shortest template that gives different names to all outputs of one input."""
    if variants:
        return "{folder}/{stem}-{variant}"
    return "{folder}/{stem}-{ir}" if treatments > 1 else "{folder}/{stem}"


def output_name(template: str, fields: Mapping[str, object], ending: str) -> str:
    """Return an output's path relative to the output folder, with ``/`` between its parts.

    Raises
    ------
    ParameterError
        If the template does not fit the fields, or leads out of the output folder.

    Examples
    --------
    >>> output_name("{folder}/{stem}-{ir}", {"folder": "", "stem": "kick", "ir": "hall"}, ".wav")
    'kick-hall.wav'
    """
    try:
        text = template.format_map(fields)
    except (ValueError, TypeError, KeyError) as error:
        raise ParameterError(f"name template {template!r}: {error}") from error
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise ParameterError(
            f"name template {template!r} gives {text!r}; expected a name inside the output folder"
        )
    return "/".join(parts) + ending


def check_inputs_stay(tasks: Sequence[Task], where: Sequence[str]) -> None:
    """Raise ParameterError if an output, whose path is given for each task, would overwrite an input."""
    sources = {os.path.realpath(task.source) for task in tasks}
    for path in where:
        if os.path.realpath(path) in sources:
            raise ParameterError(
                f"{Path(path)}: is itself an input; choose another output folder, or a name template such as "
                "{folder}/{stem}-{ir}"
            )
