"""Layer 4: the command line. A command parses, calls one public function, and shows the result."""

import signal
from types import FrameType

from reverb.cli.app import cli


def main() -> None:
    """Run the command line; a termination signal cleans up as Ctrl-C does."""

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
    cli()
