"""A training set for speech recognition: each recording in several rooms, near and far, loud and soft.

Every variant draws a room, a mix, a predelay and a gain from one seed, so the set is reproducible to the byte. A
table beside the sound files lists the drawn values. `reverb batch --augment` does the same on the command line, for
folders of any size and on many cores.

    python examples/augment_speech.py clips/*.wav --output-dir set --variants 4 --seed 1
"""

import argparse
import csv
from pathlib import Path

import numpy as np

import reverb

ROOMS = ("room", "living-room", "chamber", "hall")


def variants(count: int, random: np.random.Generator) -> list[tuple[str, float, float, float]]:
    """Draw a room, a mix, a predelay in seconds, and a gain in dB, `count` times."""
    return [
        (
            str(random.choice(ROOMS)),
            round(float(random.uniform(0.05, 0.6)), 3),
            round(float(random.uniform(0.0, 0.03)), 4),
            round(float(random.uniform(-12.0, 0.0)), 2),
        )
        for _ in range(count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--variants", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    options.output_dir.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(options.seed)
    with (options.output_dir / "variants.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "source", "room", "mix", "predelay", "gain_db"])
        for clip in options.clips:
            for number, (room, mix, predelay, gain) in enumerate(variants(options.variants, random), 1):
                output = options.output_dir / f"{clip.stem}-{number}.flac"
                effect = reverb.Reverb(room, mix=mix, predelay=predelay)
                reverb.process_file(clip, output, effect, gain=gain, tail=False)
                table.writerow([output.name, clip.name, room, mix, predelay, gain])
                print(f"{output}: {room}, {mix:.0%}")


if __name__ == "__main__":
    main()
