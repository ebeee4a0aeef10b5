"""Make the bundled impulse responses: `python scripts/make_impulses.py [name ...] [--output-dir impulses]`."""

import argparse
from pathlib import Path

import soundfile

from rooms.designs import ROOMS
from rooms.render import SAMPLE_RATE, render_room


def main() -> None:
    """Render the rooms that are asked for, all without a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--output-dir", type=Path, default=Path("impulses"))
    options = parser.parse_args()
    for room in ROOMS:
        if options.names and room.name not in options.names:
            continue
        for name, sound in render_room(room).items():
            soundfile.write(options.output_dir / f"{name}.flac", sound, SAMPLE_RATE, "PCM_24")
            print(name, sound.shape)


if __name__ == "__main__":
    main()
