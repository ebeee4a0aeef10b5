"""`reverb studio`: a web page that plays a recording in a room while its settings change."""

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
    help="Port to listen on; 0 for any free one.  [default: 8765, or any free one if that is taken]",
)
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Address to listen on; the default is reachable from this machine only.",
)
@click.option("--no-browser", is_flag=True, help="Print the address and open no browser.")
@click.option(
    "--max-upload",
    type=click.IntRange(1, 4000),
    default=500,
    metavar="MB",
    help="Largest recording that can be uploaded.",
)
def studio(port: int | None, host: str, no_browser: bool, max_upload: int) -> None:
    """Open the studio in the browser: drop a recording, choose a room, turn knobs, and hear the result at once.

    The printed address contains a token, without which nobody can use the studio. Uploads are kept in a temporary
    folder, which is removed at the end. Ctrl-C ends the studio.

    \b
    Examples:
      reverb studio
      reverb studio --no-browser --port 9000
    """
    try:
        from reverb.studio.app import is_loopback, serve
        from reverb.studio.uploads import Limits
    except ImportError as error:
        if error.name and error.name.partition(".")[0] in ("starlette", "uvicorn", "anyio"):
            raise missing_extra("studio", "the studio needs Starlette and uvicorn") from error
        raise
    if not is_loopback(host):
        click.echo(
            f"Warning: anybody who can reach {host} and knows the address can use the studio", err=True
        )

    def ready(address: str) -> None:
        click.echo(f"reverb studio: {address}\nCtrl-C ends it.")
        if not no_browser and _has_screen():
            # In a thread, because some browsers return only when they are closed.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with contextlib.suppress(KeyboardInterrupt):  # the usual end
        serve(
            host,
            port,
            ready,
            limits=Limits(recording_bytes=max_upload * 1_000_000),
            debug=bool(click.get_current_context().find_root().params.get("debug")),
        )
    click.echo("the studio is closed; its uploads are removed")


def _has_screen() -> bool:
    """Return whether a browser can open a window; a text browser would take over the terminal."""
    unix = sys.platform not in ("darwin", "win32")
    return not unix or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
