"""Names of outputs, from a template with fields in braces."""

from collections.abc import Mapping
from string import Formatter

from reverb.errors import ParameterError

FIELDS = {
    "stem": "the input's name without its ending",
    "folder": "its folder below the one that was named",
    "root": "the name of that folder",
    "ir": "the response's or chain's name",
    "chain": "the same",
    "variant": "1 ... N of --augment; {variant:03d} for leading zeros",
    "index": "the input's number, from 1",
}
"""What may stand in braces, and what it means."""


def check_template(template: str) -> None:
    """Raise ParameterError for a template that is not understood.

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
    """Return the template for a number of treatments: as short as it can be while names differ."""
    if variants:
        return "{folder}/{stem}-{variant}"
    return "{folder}/{stem}-{ir}" if treatments > 1 else "{folder}/{stem}"


def output_name(template: str, fields: Mapping[str, object], ending: str) -> str:
    """Return an output's name below the output folder, with ``/`` between its parts.

    Raises
    ------
    ParameterError
        If the template does not suit the fields, or leads out of the output folder.

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
            f"name template {template!r} gives {text!r}; expected a name below the output folder"
        )
    return "/".join(parts) + ending
