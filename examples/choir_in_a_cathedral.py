"""Put a closely recorded choir into a cathedral.

The close microphones stay in front, and the nave follows after 40 ms, with less bass, because the boom of a stone vault
would cover forty voices. Prints the loudness before and after: only the room has changed.

    python examples/choir_in_a_cathedral.py choir.wav evensong.wav
"""

import argparse

import reverb
from reverb.levels import to_db


def cathedral(share: float) -> reverb.Effect:
    """Return the dry choir mixed with a nave that has `share` of the total power."""
    nave = (
        reverb.LowCut(140)
        >> reverb.HighShelf(6000, gain_db=-3)
        >> reverb.Reverb("cathedral", mix=1, predelay=0.04)
    )
    return reverb.Gain(to_db((1 - share) ** 0.5)) + (nave >> reverb.Gain(to_db(share**0.5)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("choir")
    parser.add_argument("output")
    parser.add_argument("--share", type=float, default=0.35, help="share of the room in the power, 0 to 1")
    options = parser.parse_args()

    report = reverb.process_file(
        options.choir, options.output, cathedral(options.share), match_loudness=True, ceiling=-1
    )
    print(
        f"{options.output}: {report.duration:.1f} s, {report.input_loudness:.1f} LUFS before, "
        f"{report.loudness:.1f} after"
    )


if __name__ == "__main__":
    main()
