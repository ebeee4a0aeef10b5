"""Run the command in the process of the tests."""

import os

import click.testing

from reverb.cli.app import cli

Result = click.testing.Result


def run(*args: str) -> Result:
    return click.testing.CliRunner().invoke(cli, args, prog_name="reverb")


def succeed(*args: str) -> Result:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result


def fail(status: int, says: str, *args: str) -> None:
    """Run a command that must fail: with one line on stderr, nothing on stdout, and no file left behind."""
    before = sorted(os.listdir())
    result = run(*args)
    assert result.stderr.startswith("Error: "), result.output
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert result.exit_code == status
    assert sorted(os.listdir()) == before


def run_ir(*args: str, status: int = 0) -> Result:
    """Run `reverb ir`, which must end with a status."""
    result = run("ir", *args)
    assert result.exit_code == status, result.output
    return result
