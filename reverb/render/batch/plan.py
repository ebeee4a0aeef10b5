"""Plan a batch: find its input files, and name an output for each of them and each treatment.

Inputs are files, folders, globs and URLs, in an order that does not depend on the disk. Output names come from a
template with fields in braces.
"""

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Formatter

from reverb.audiofiles.files import FORMATS
from reverb.audiofiles.outputs import PathLike
from reverb.checks import file_path, instance
from reverb.errors import AudioFileError, ParameterError
from reverb.render.batch import remote
from reverb.render.batch.tasks import Augment, Draw, Task, Treatment

_DEFAULT_ENDING = ".wav"
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


@dataclass(frozen=True)
class Input:
    """A file to be rendered.

    Attributes
    ----------
    path : str
        The path or URL to open.
    relative : PurePosixPath
        The path relative to the folder or glob that was named; the file's name if it was named itself.
    root : str
        The name of the folder that was named; empty for a file.
    problem : str or None
        Why the file cannot be read, if that is known already.
    """

    path: str
    relative: PurePosixPath
    root: str = ""
    problem: str | None = None


def find_inputs(named: Iterable[PathLike], leave_out: PathLike | None = None) -> tuple[Input, ...]:
    """Return the input files in the order in which they were named, those of a folder or glob in alphabetical order.

    Parameters
    ----------
    named : iterable of path-like
        A file with any ending; a folder, for the audio files in it, recursively and without hidden ones; a glob
        (``takes/**/*.wav``), for the audio files and folders that match; or a URL of these that fsspec knows. Links are
        followed, and each folder is read once.
    leave_out : path-like, optional
        A folder not to read: that of the outputs.

    Raises
    ------
    AudioFileError
        If a name does not exist, or has no audio file in it.
    ParameterError
        If a name is no path.
    """
    found: dict[tuple[str, PurePosixPath], Input] = {}
    for text in (file_path("an input", one) for one in named):
        inputs = list(_remote(text) if remote.is_url(text) else _local(remote.local_path(text), leave_out))
        if not inputs:
            raise AudioFileError(f"{text}: no audio file in it; expected {', '.join(FORMATS)}")
        for one in inputs:
            found.setdefault((one.path, one.relative), one)
    return tuple(found.values())


def _remote(url: str) -> Iterator[Input]:
    """Yield the files of a URL."""
    for path, relative in remote.files(url):
        yield Input(path, PurePosixPath(relative), "" if path == url else remote.folder_name(url))


def _local(text: str, leave_out: PathLike | None) -> Iterator[Input]:
    """Yield the files of a path or a glob."""
    path = Path(text)
    if os.path.lexists(path) or not any(mark in text for mark in remote.WILDCARDS):
        yield from _entry(path, path, leave_out)
        return
    matched = sorted(glob.glob(text, recursive=True))
    if not matched:
        raise AudioFileError(f"{text}: matches no file")
    root = _fixed_part(path)
    folders = [match for match in matched if os.path.isdir(match)]
    for match in matched:
        inside = any(match.startswith(f"{folder.rstrip(os.sep)}{os.sep}") for folder in folders)
        if not inside and (os.path.isdir(match) or Path(match).suffix.lower() in FORMATS):
            yield from _entry(Path(match), root, leave_out)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder of a glob before its first wildcard."""
    parts = pattern.parts
    first = next(
        number for number, part in enumerate(parts) if any(mark in part for mark in remote.WILDCARDS)
    )
    return Path(*parts[:first])


def _entry(path: Path, root: Path, leave_out: PathLike | None) -> Iterator[Input]:
    """Yield a file, or the files of a folder, with paths relative to `root`."""
    if path.is_dir():
        yield from _folder(path, root, leave_out)
    elif os.path.lexists(path):
        relative = path.name if path == root else path.relative_to(root).as_posix()
        yield Input(str(path), PurePosixPath(relative), "" if path == root else _name_of(root))
    else:
        raise AudioFileError(f"{path}: no such file or folder")


def _folder(folder: Path, root: Path, leave_out: PathLike | None) -> Iterator[Input]:
    """Yield the audio files of a folder, and the subfolders that cannot be read, with paths relative to `root`."""
    seen: set[tuple[int, int]] = set()
    if leave_out is not None:
        _first_visit(leave_out, seen)
    _first_visit(folder, seen)
    errors: list[OSError] = []
    for parent, folders, files in os.walk(folder, followlinks=True, onerror=errors.append):
        # Links may form loops, so each folder is read once: by its own name rather than by a link next to it.
        folders.sort(key=lambda name: (os.path.islink(os.path.join(parent, name)), name))
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and _first_visit(os.path.join(parent, name), seen)
        ]
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in FORMATS:
                path = Path(parent, name)
                yield Input(str(path), PurePosixPath(path.relative_to(root).as_posix()), _name_of(root))
    for error in errors:
        path = Path(str(error.filename))
        problem = f"{path}: the folder cannot be read ({error.strerror})"
        yield Input(str(path), PurePosixPath(path.relative_to(root).as_posix()), _name_of(root), problem)


def _first_visit(path: PathLike, seen: set[tuple[int, int]]) -> bool:
    """Add a folder to those seen, and return whether it is new."""
    try:
        status = os.stat(path)
    except OSError:  # gone or without permission, which reading it reports
        return True
    identity = (status.st_dev, status.st_ino)
    new = identity not in seen
    seen.add(identity)
    return new


def _name_of(root: Path) -> str:
    return root.resolve().name


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
        Of the outputs' names, with `FIELDS` in braces; by default `usual_template`.
    augment : Augment, optional
        Draw variants of each input, instead of rendering it with each treatment.

    Raises
    ------
    ParameterError
        If two outputs would have the same name, or the template is not valid.
    """
    if template is not None:
        check_template(template)
    template = template or usual_template(len(treatments), augment is not None)
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


def _variants(one: Input, names: Sequence[str], augment: Augment | None) -> Iterator[tuple[str, Draw | None]]:
    """Yield the treatment's name, and the draw if there is one, of each output of an input."""
    if augment is None:
        yield from ((name, None) for name in names)
        return
    for variant in range(1, augment.variants + 1):
        yield augment.draw(one.relative.as_posix(), variant, names)


def _fields(one: Input, index: int, name: str, draw: Draw | None) -> dict[str, object]:
    """Return the values of the template's fields."""
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
    """Return the ending of an output's name: that of the container in the settings, or the input's own."""
    if (container := treatment.settings.container) is not None:
        return next(ending for ending, name in FORMATS.items() if name == container.upper())
    ending = one.relative.suffix
    return ending if ending.lower() in FORMATS else _DEFAULT_ENDING


def check_template(template: str) -> None:
    """Raise ParameterError if a template is not valid.

    Examples
    --------
    >>> check_template("{folder}/{stem}-{ir}")
    """
    instance("name template", template, str, "a text such as '{folder}/{stem}-{ir}'")
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
    """Return an output's path relative to the output folder, with ``/`` between the parts.

    Raises
    ------
    ParameterError
        If the template does not suit the fields' values, or the path is outside the output folder.

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
    if not parts or ".." in parts or "\0" in text:
        raise ParameterError(
            f"name template {template!r} gives {text!r}; expected a name inside the output folder"
        )
    return "/".join(parts) + ending


def check_no_input_overwritten(tasks: Sequence[Task], paths: Sequence[str]) -> None:
    """Raise ParameterError if one of the output paths, one for each task, is an input."""
    sources = {os.path.realpath(task.source) for task in tasks}
    for path in paths:
        if os.path.realpath(path) in sources:
            raise ParameterError(
                f"{Path(path)}: is itself an input; choose another output folder, or a name template such as "
                "{folder}/{stem}-{ir}"
            )
