"""Stub."""

import click


@click.group()
def synth() -> None:
    """X."""
