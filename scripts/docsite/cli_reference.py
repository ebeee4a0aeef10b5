"""The reference of the command line, one section per command, made from click's help texts."""

from collections.abc import Iterator
from textwrap import dedent

import click

from reverb.cli.app import cli

INTRODUCTION = """# Command line

The same texts as `--help`. Exit status: 0 success, 1 failure while processing, 2 wrong usage, 130 interrupted. An
error is one line on stderr; `--debug` before the command shows the traceback.

## Completion

Shells complete commands, options, and the names of responses, presets and files after you add this line to their
start-up file:

| shell | file | line |
|---|---|---|
| bash | `~/.bashrc` | `eval "$(_REVERB_COMPLETE=bash_source reverb)"` |
| zsh | `~/.zshrc` | `eval "$(_REVERB_COMPLETE=zsh_source reverb)"` |
| fish | `~/.config/fish/completions/reverb.fish` | `_REVERB_COMPLETE=fish_source reverb | source` |
"""


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([INTRODUCTION, *(line for found in walk() for line in _section(*found))])


def walk() -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command, without groups, with its context, in the order of `reverb --help`."""
    yield from _below(cli, click.Context(cli, info_name="reverb", **cli.context_settings))


def _below(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    if not isinstance(command, click.Group):
        yield command, context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None, name
        yield from _below(inner, click.Context(inner, info_name=name, parent=context))


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"\n## {context.command_path}\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```\n"
    yield from _paragraphs(command.help or "")
    rows = [
        (parameter.get_help_record(context) or ("", ""))
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    yield "| option | |\n|---|---|"
    # A bar inside code does not separate columns.
    yield from (f"| `{option}` | {_escaped(text)} |" for option, text in rows)
    yield ""


def _paragraphs(text: str) -> Iterator[str]:
    r"""Return click's help as Markdown; paragraphs after its mark \\b stay as they are."""
    for paragraph in text.replace("\r", "").split("\n\n"):
        first, *rest = paragraph.strip("\n").split("\n")
        if first.strip() != "\b":
            yield f"{_escaped(' '.join(paragraph.split()))}\n"
            continue
        title, *lines = dedent("\n".join(rest)).rstrip().split("\n")
        if title.endswith(":"):
            yield f"{title}\n"
        else:
            lines.insert(0, title)
        yield f"```text\n{dedent(chr(10).join(lines))}\n```\n"


def _escaped(text: str) -> str:
    """Escape the special characters of Markdown in a text written for terminals."""
    for sign in "\\*_<|[":
        text = text.replace(sign, f"\\{sign}")
    return text
