"""Render a dry recording with two rooms and three filters, print a report, and draw one picture."""

import argparse
from pathlib import Path

import soundfile
from demo_picture import overview

import reverb
from reverb import plots
from reverb.render.loudness import LoudnessMeter

ROOT = Path(__file__).resolve().parents[1]
FILTERS = {
    "low-pass 1 kHz": reverb.LowPass(1000),
    "high-pass 1 kHz": reverb.HighPass(1000),
    "band-pass 300-3400 Hz": reverb.BandPass(300, 3400),
}
ROOMS = {"church": reverb.Reverb("church"), "hall": reverb.Reverb("hall")}


def loudness(path: Path) -> float:
    """Return the integrated loudness of a file in LUFS (ITU-R BS.1770)."""
    sound, sample_rate = soundfile.read(path, always_2d=True)
    meter = LoudnessMeter(sample_rate, sound.shape[1])
    meter.push(sound)
    return meter.integrated


def main() -> None:
    """Render, report, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, default=ROOT / "examples" / "audio" / "drum-roll.flac")
    parser.add_argument("--output-dir", type=Path, default=ROOT / "demo-output")
    options = parser.parse_args()
    options.output_dir.mkdir(parents=True, exist_ok=True)

    print(f"{options.input}: {loudness(options.input):.1f} LUFS\n")
    print(f"{'effect':<24}{'seconds':>9}{'x real time':>13}{'LUFS before':>13}{'LUFS after':>12}  file")
    before = loudness(options.input)
    outputs = {}
    for name, effect in (ROOMS | FILTERS).items():
        output = options.output_dir / f"{name.replace(' ', '-')}.wav"
        report = reverb.process_file(options.input, output, effect, overwrite=True)
        print(
            f"{name:<24}{report.seconds:>9.2f}{report.speed:>13.0f}{before:>13.1f}{loudness(output):>12.1f}  {output}"
        )
        outputs[name] = output

    picture = options.output_dir / "demo.png"
    plots.save(overview(options.input, outputs["church"], list(ROOMS), FILTERS), picture)
    print(f"\npicture: {picture}")


if __name__ == "__main__":
    main()
