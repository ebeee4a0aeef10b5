"""Find the impulse response of a hardware reverb, from music played through it.

Give the dry track and the return track, with the same sample rate. Effects that no response can describe (modulation,
saturation, noise) show as low coherence. Without a return track, --try uses a bundled room as the device and prints how
close the result is.

    python examples/lift_hardware_reverb.py dry.wav return.wav plate.wav --seconds 4
    python examples/lift_hardware_reverb.py dry.wav --try room lifted.wav
"""

import argparse

import soundfile

import reverb
from reverb.responses.measure.identify import identify


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dry")
    parser.add_argument("wet", nargs="?")
    parser.add_argument("output")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of the response in seconds")
    parser.add_argument(
        "--try", dest="device", metavar="NAME", help="a bundled response to use as the device"
    )
    options = parser.parse_args()
    if (options.wet is None) == (options.device is None):
        parser.error("give the returned recording, or --try NAME")

    dry, sample_rate = soundfile.read(options.dry)
    if options.device:
        wet = reverb.Reverb(options.device, mix=1, level="none")(dry, sample_rate)
    else:
        wet, wet_rate = soundfile.read(options.wet)
        if wet_rate != sample_rate:
            parser.error(f"{options.wet} has {wet_rate} Hz, {options.dry} {sample_rate}")
    found = identify(dry, wet, sample_rate, options.seconds)
    reverb.save_response(found.response, options.output)
    print(f"{options.output}: {found.residual:.0f} dB unexplained, {1000 * found.delay:.1f} ms late")
    for band in found.coherence:
        print(f"  {band.label:>8}: {band.coherence:4.0%} explained, {band.covered:4.0%} covered")
    for objection in found.objections:
        print(f"  {objection}")


if __name__ == "__main__":
    main()
