"""The `reverb` command: its commands, and how errors are shown."""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

import reverb
from reverb.errors import ParameterError, ReverbError, UnknownNameError

_COMMANDS = {
    "apply": "reverb.cli.apply:apply",
    "batch": "reverb.cli.batch:batch",
    "chain": "reverb.cli.chain:chain",
    "devices": "reverb.cli.machine:list_devices",
    "filter": "reverb.cli.filter:filter_group",
    "ir": "reverb.cli.ir:ir",
    "live": "reverb.cli.live:live",
    "studio": "reverb.cli.studio:studio",
    "tune": "reverb.cli.machine:tune",
}
"""Module and name of each command. A module is imported only when its command is used, so that each starts quickly."""

_RENDERING = {"apply", "batch", "chain", "filter", "live"}
"""Commands that multiply no large matrices, so that they need no threads of BLAS."""
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"

_INTERRUPTED = 130
_USAGE = 2


class _WrongUsage(click.ClickException):
    exit_code = _USAGE


class _Commands(click.Group):
    """A group that reports a failure as one line on stderr: status 1 while processing, 2 for wrong usage."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # as click calls it
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name in _RENDERING:
            _use_one_blas_thread(ctx)
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        _add_debug(command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _warnings_as_lines():
                return super().invoke(ctx)
        except ReverbError as error:
            if ctx.params.get("debug"):
                raise
            kind = (
                _WrongUsage if isinstance(error, ParameterError | UnknownNameError) else click.ClickException
            )
            raise kind(" ".join(str(error).split())) from error
        except OSError as error:  # of the system, such as a broken disk
            if ctx.params.get("debug") or isinstance(error, BrokenPipeError):
                raise
            raise click.ClickException(" ".join(str(error).split())) from error

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            if not standalone_mode:
                return status
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(_USAGE)
        except click.UsageError as error:
            _fail(
                f"{' '.join(error.format_message().split())} (see {_path(error.ctx)} --help)", error.exit_code
            )
        except click.ClickException as error:
            _fail(error.format_message(), error.exit_code)
        except click.Abort:
            _fail("interrupted; nothing was left behind", _INTERRUPTED)
        except BrokenPipeError:
            with contextlib.suppress(OSError):
                sys.stdout.close()
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


def _use_one_blas_thread(ctx: click.Context) -> None:
    """Let NumPy, once it is imported, start no threads of BLAS, which would spin for 30 ms; for one command only."""
    if "numpy" not in sys.modules and _BLAS_THREADS not in os.environ:
        os.environ[_BLAS_THREADS] = "1"
        ctx.call_on_close(lambda: os.environ.pop(_BLAS_THREADS, None))


def _path(ctx: click.Context | None) -> str:
    return ctx.command_path if ctx else "reverb"


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(status)


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show warnings as one line on stderr each."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        yield


def _set_debug(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    root = ctx.find_root()
    if value and not root.params.get("debug"):
        root.params["debug"] = True
        root.call_on_close(_print_fft)


def _print_fft() -> None:
    """Print on stderr which FFT library is used, which explains most differences in speed."""
    from reverb.engine.tuning import fft_in_use

    for use, name in fft_in_use().items():
        click.echo(f"FFT of {use}: {name}", err=True)


def _add_debug(command: click.Command) -> None:
    """Accept --debug among a command's own options, too."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _add_debug(inner)
    elif not any(parameter.name == "debug" for parameter in command.params):
        command.params.append(
            click.Option(["--debug"], is_flag=True, hidden=True, expose_value=False, callback=_set_debug)
        )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(reverb.__version__, prog_name="reverb")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure, and the FFT library in use.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:  # errors read it from the context, too
    """Convolution reverb and filters for audio files.

    \b
    Examples:
      reverb apply dry.wav wet.wav --ir church
      reverb apply voice.flac out.flac --ir hall --mix 0.2 --predelay 20
      reverb filter highpass in.wav out.wav --cutoff 80
      reverb batch takes/ --output-dir wet/ --ir hall
      reverb ir list
    """
    if debug:
        ctx.call_on_close(_print_fft)
