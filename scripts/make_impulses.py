"""Make the bundled impulse responses, their catalogue, and the README.

    python scripts/make_impulses.py [name ...] [--output-dir impulses]

Seeded: the same versions of NumPy, SciPy, pyroomacoustics and libsndfile give the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from rooms import catalogue
from rooms.designs import ROOMS
from rooms.render import SAMPLE_RATE, finish_plate, render_room

from reverb.responses.rooms.plate import Plate

MEASURED = "living-room"
PLATE = Plate()


def main() -> None:
    """Render the named responses, or all; then describe every response in the folder."""
    names = [room.name for room in ROOMS] + [PLATE.name]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(names)}")
    parser.add_argument("--output-dir", type=Path, default=Path("impulses"))
    options = parser.parse_args()
    unknown = set(options.names) - set(names)
    if unknown:
        parser.error(f"no room named {', '.join(sorted(unknown))}; known are {', '.join(names)}")
    entries = _entries()
    for name in options.names or names:
        for response, samples in _render(name).items():
            path = options.output_dir / f"{response}.flac"
            _write(path, samples, entries[response])
            print(
                f"{path}: {len(samples) / SAMPLE_RATE:.2f} s, {path.stat().st_size / 1e6:.2f} MB", flush=True
            )
    present = {
        name: entry for name, entry in entries.items() if (options.output_dir / f"{name}.flac").exists()
    }
    catalogue.write(options.output_dir, present)


def _render(name: str) -> dict[str, npt.NDArray[np.float64]]:
    if name == PLATE.name:
        return {name: finish_plate(PLATE)}
    return render_room(next(room for room in ROOMS if room.name == name))


def _entries() -> dict[str, catalogue.Entry]:
    entries: dict[str, catalogue.Entry] = {}
    for room in ROOMS:
        entries |= catalogue.room_entries(room)
    return {**entries, PLATE.name: catalogue.plate_entry(PLATE), MEASURED: catalogue.living_room_entry()}


def _write(path: Path, samples: npt.NDArray[np.float64], entry: catalogue.Entry) -> None:
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, samples.shape[1], "PCM_24", format="FLAC") as sound:
        sound.title, sound.comment, sound.license = entry["title"], entry["description"], entry["license"]
        sound.write(samples)


if __name__ == "__main__":
    main()
