"""Add a room to the drums but not to the kick, with a decay time set in beats.

A crossover splits the drums: the low band stays dry, and the high band gets the room. Without the room, the bands add
up to the original.

    python examples/drum_room.py drums.wav drums-room.wav --tempo 124 --beats 1
"""

import argparse

import reverb
from reverb.responses.decay.shaping import with_rt60


def drum_room(seconds: float, split: float, mix: float) -> reverb.Effect:
    """Return the split drums, with a room above `split` Hz that decays by 60 dB in `seconds`."""
    room = with_rt60(reverb.impulse("chamber"), seconds)
    low, high = reverb.crossover(split)
    return low + (high >> reverb.Reverb(room, mix=mix))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("drums")
    parser.add_argument("output")
    parser.add_argument("--tempo", type=float, default=120.0, help="beats per minute")
    parser.add_argument("--beats", type=float, default=1.0, help="decay time of the room in beats")
    parser.add_argument("--split", type=float, default=180.0, help="crossover frequency in Hz; dry below")
    parser.add_argument("--mix", type=float, default=0.3, help="share of the room in the high band, 0 to 1")
    options = parser.parse_args()

    seconds = reverb.beats(options.beats, options.tempo)
    effect = drum_room(seconds, options.split, options.mix)
    report = reverb.process_file(options.drums, options.output, effect, match_loudness=True)
    print(f"{options.output}: a room of {seconds:.2f} s, peak {report.peak:.2f}")


if __name__ == "__main__":
    main()
