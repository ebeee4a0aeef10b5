"""From inputs and treatments to tasks with output names; the plan can be shown before anything is done."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from reverb.audiofiles.files import FORMATS, output_format
from reverb.errors import ParameterError
from reverb.render.batch.augment import Augment
from reverb.render.batch.inputs import Input
from reverb.render.batch.naming import check_template, output_name, usual_template
from reverb.render.batch.tasks import Draw, Task, Treatment

_USUAL_ENDING = ".wav"


def plan(
    inputs: Sequence[Input],
    treatments: Sequence[Treatment],
    *,
    template: str | None = None,
    augment: Augment | None = None,
) -> tuple[Task, ...]:
    """Return the tasks, in the order of the inputs, and for each in that of the treatments or variants.

    Parameters
    ----------
    inputs : sequence of Input
    treatments : sequence of Treatment
        Each input goes through each of them.
    template : str, optional
        For the outputs' names (`reverb.render.batch.naming`).
    augment : Augment, optional
        Draw variants instead.

    Raises
    ------
    ParameterError
        If two outputs would have one name, or the template is not understood.
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
                    f"{tasks[output].source} and {one.path} would both become {output}; name the folder above them, or "
                    "tell them apart with {root}, {folder}, {ir}, {variant} or {index} in the name template"
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
        raise ParameterError(f"two effects are called {min(twice)!r}; expected names that differ")
    for treatment in treatments:
        if treatment.settings.container is not None:
            output_format("", treatment.settings.container)  # raises where there is none of that name


def _variants(one: Input, names: Sequence[str], augment: Augment | None) -> Iterator[tuple[str, Draw | None]]:
    if augment is None:
        yield from ((name, None) for name in names)
        return
    for variant in range(1, augment.variants + 1):
        yield augment.draw(one.relative.as_posix(), variant, names)


def _fields(one: Input, index: int, name: str, draw: Draw | None) -> dict[str, object]:
    folder = one.relative.parent.as_posix()
    called = name.replace("/", "-")
    return {
        "stem": one.relative.stem,
        "folder": "" if folder == "." else folder,
        "root": one.root,
        "ir": called,
        "chain": called,
        "variant": draw.variant if draw else 1,
        "index": index,
    }


def _ending(one: Input, treatment: Treatment) -> str:
    """Return the ending of an output's name: its format's, or the input's own."""
    if (container := treatment.settings.container) is not None:
        return next(ending for ending, name in FORMATS.items() if name == container.upper())
    ending = one.relative.suffix
    return ending if ending.lower() in FORMATS else _USUAL_ENDING


def check_inputs_stay(tasks: Sequence[Task], where: Sequence[str]) -> None:
    """Raise ParameterError where an output, whose path is given for each task, would be one of the inputs."""
    sources = {os.path.realpath(task.source) for task in tasks}
    for path in where:
        if os.path.realpath(path) in sources:
            raise ParameterError(
                f"{Path(path)}: is an input itself; choose another output folder, or a name template such as "
                "{folder}/{stem}-{ir}"
            )
