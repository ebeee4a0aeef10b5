"""``python -m reverb`` is the command line."""

from reverb.cli import main

main()
