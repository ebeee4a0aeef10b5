"""`reverb studio`: a page in the browser on which a recording is heard in a room while knobs move."""

import contextlib
import os
import sys
import threading
import webbrowser

import click

from reverb.errors import missing_extra


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="0: any free one.  [default: 8765, or any free one where that is taken]",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; by default only this machine reaches it.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option(
    "--max-upload",
    type=click.IntRange(1, 4000),
    default=500,
    show_default=True,
    metavar="MB",
    help="Largest recording that may be dropped.",
)
def studio(port: int | None, host: str, no_browser: bool, max_upload: int) -> None:
    """Open the studio in the browser: drop a recording, choose a room, turn knobs, and hear it at once.

    The address that is printed holds a token: whoever has it may use the studio, nobody else. What is dropped lies in
    a temporary folder, which is removed at the end. Ctrl-C ends it.

    \b
    Examples:
      reverb studio
      reverb studio --no-browser --port 9000
    """
    try:
        from reverb.studio.serving import is_loopback, serve
        from reverb.studio.shelf import Limits
    except ImportError as error:
        if error.name and error.name.partition(".")[0] in ("starlette", "uvicorn", "anyio"):
            raise missing_extra("studio", "the studio needs Starlette and uvicorn") from error
        raise
    if not is_loopback(host):
        click.echo(f"Warning: whoever reaches {host} and has the address may use the studio", err=True)

    def ready(address: str) -> None:
        click.echo(f"reverb studio: {address}\nCtrl-C ends it.")
        if not no_browser and _has_screen():
            # In a thread of its own: some browsers are only back when they are closed.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with contextlib.suppress(KeyboardInterrupt):  # the way in which it ends
        serve(
            host,
            port,
            ready,
            limits=Limits(recording_bytes=max_upload * 1_000_000),
            debug=bool(click.get_current_context().find_root().params.get("debug")),
        )
    click.echo("the studio is closed; what was dropped is removed")


def _has_screen() -> bool:
    """Return whether a browser would have a window; those without one would take the terminal."""
    unix = sys.platform not in ("darwin", "win32")
    return not unix or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
