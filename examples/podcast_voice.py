"""Clean up a voice for a podcast: less rumble, hum and boxiness, a little air, then −16 LUFS below −1 dBTP.

python examples/podcast_voice.py raw.wav episode.wav --mains 60
"""

import argparse

import reverb

LOUDNESS, CEILING = -16.0, -1.0  # LUFS and dBTP, as podcast platforms require


def voice(mains: float) -> reverb.Effect:
    """Return the chain, for mains of 50 or 60 Hz; it folds into one convolution."""
    return (
        reverb.LowCut(75, slope=24)
        >> reverb.Notch(mains, q=35, harmonics=6)
        >> reverb.Peak(280, gain_db=-2.5, q=1.1)
        >> reverb.HighShelf(7000, gain_db=2)
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("raw")
    parser.add_argument("output")
    parser.add_argument("--mains", type=float, default=50.0, help="frequency of the hum in Hz")
    options = parser.parse_args()

    report = reverb.process_file(
        options.raw, options.output, voice(options.mains), loudness=LOUDNESS, ceiling=CEILING, tail=False
    )
    print(f"{options.output}: {report.loudness:.1f} LUFS, {report.true_peak:.1f} dBTP")
    if report.reduction_db > 0:
        print(f"the ceiling keeps it {report.reduction_db:.1f} dB below the target; use a limiter first")


if __name__ == "__main__":
    main()
