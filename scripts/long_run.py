#!/usr/bin/env python3
"""Render for hours; check that memory stays constant, no frame is lost, and the end is as exact as the beginning.

    scripts/long_run.py                                          # 24 hours of stereo through a church
    scripts/long_run.py --hours 2 --channels 32 --sample-rate 192000
    scripts/long_run.py --gigabytes 4.3                          # a real file of that size, removed afterwards

The source is noise that repeats after a prime number of frames, so every part of it is known. It runs through the
threads and the engine that render files, into a sink that keeps a few windows. There, the samples of the first and
the last channel are compared with the sum of products that defines them, in float64. With --gigabytes, the source is
a sparse file: noise at both ends, and silence in between.
"""

import argparse
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

import reverb
from reverb.arrays import Audio
from reverb.engine.offline.convolver import OverlapAdd
from reverb.levels import to_db
from reverb.responses.response import ImpulseResponse

PERIOD = 100_003  # frames, a prime: no two blocks of the engine start at the same position
WINDOW = 64
ALLOWED_DB = -110.0  # of the peak, in float32: -120 dB overall, a little more at single samples
GROWTH = 16.0  # MB, allowed growth in the second half, by the system and the allocator


class Source:
    """Endless noise with known frames."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._noise = np.random.default_rng(1).random((PERIOD, channels), np.float32) - np.float32(0.5)

    def blocks(self, frames: int, size: int) -> Iterator[Audio]:
        """Yield this many frames in blocks, all in one array that is reused."""
        buffer = np.empty((size, self.channels), np.float32)
        for start in range(0, frames, size):
            block = buffer[: min(size, frames - start)]
            done = 0
            while done < len(block):
                place = (start + done) % PERIOD
                piece = self._noise[place : place + len(block) - done]
                block[done : done + len(piece)] = piece
                done += len(piece)
            yield block

    def at(self, first: int, last: int, frames: int) -> Audio:
        """Return frames `first` to `last` of a source of `frames` frames, with silence before and after."""
        places = np.arange(first, last)
        inside = (places >= 0) & (places < frames)
        return np.where(inside[:, np.newaxis], self._noise[places % PERIOD], 0).astype(np.float64)


class Sink:
    """Count the frames, and keep windows of them."""

    def __init__(self, places: list[int], channels: int, expected: int) -> None:
        self.frames, self._tenth, self._expected = 0, 0, expected
        self.windows = {place: np.full((WINDOW, channels), np.nan) for place in places}
        self.memory: list[float] = []

    def take(self, block: Audio) -> None:
        """Accept the next frames."""
        start, end = self.frames, self.frames + len(block)
        for place, window in self.windows.items():
            first, last = max(start, place), min(end, place + WINDOW)
            if first < last:
                window[first - place : last - place] = block[first - start : last - start]
        self.frames = end
        while self._tenth < 10 * end // self._expected:
            self._tenth += 1
            self.memory.append(resident("VmRSS"))


def resident(field: str) -> float:
    """Return the resident memory of this process in MB, now (VmRSS) or its peak (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def direct(source: Source, response: ImpulseResponse, place: int, frames: int) -> npt.NDArray[np.float64]:
    """Return WINDOW frames of the first and the last output, computed by definition in float64."""
    taps = response.samples.astype(np.float64)
    sound = source.at(place - len(taps) + 1, place + WINDOW, frames)
    expected = np.zeros((WINDOW, 2))
    outputs = (0, response.wiring.outputs - 1)
    for path in response.wiring.paths:
        if path.output not in outputs:
            continue
        row = taps[::-1, path.response]
        for frame in range(WINDOW):
            expected[frame, outputs.index(path.output)] += row @ sound[frame : frame + len(taps), path.input]
    return expected


def stream(hours: float, channels: int, sample_rate: int, room: str) -> bool:
    """Run the source through a room; print the results, and return whether all are correct."""
    response = _fitting(reverb.impulse(room).response(sample_rate), channels)
    frames = round(hours * 3600 * sample_rate)
    source, whole = Source(channels), frames + response.frames - 1
    engine = OverlapAdd(response.samples.T, response.wiring, length=frames)
    size = engine.preferred_frames
    places = [0, size - 1, whole // 2, frames - 1, *np.random.default_rng(2).integers(0, whole, 5), whole]
    sink = Sink([max(0, min(int(place), whole - WINDOW)) for place in places], response.wiring.outputs, whole)

    began = time.monotonic()
    for block in source.blocks(frames, size):
        sink.take(engine.process(block))
    sink.take(engine.flush())
    seconds = time.monotonic() - began
    print(
        f"{hours:g} h, {channels} channels at {sample_rate} Hz through {room} ({response.frames} frames): "
        f"{seconds:.0f} s, {3600 * hours / seconds:.0f} x real time"
    )
    exact = _compared(sink, {place: direct(source, response, place, frames) for place in sink.windows})
    print(f"frames: {sink.frames}, expected {whole}")
    half, end = sink.memory[4], max(sink.memory[5:])
    print(
        f"memory: {half:.0f} MB after one half, {end:.0f} MB in the other, at most {resident('VmHWM'):.0f} MB"
    )
    return sink.frames == whole and exact and end - half < GROWTH


def _compared(sink: Sink, references: Mapping[int, npt.NDArray[np.float64]]) -> bool:
    """Print the errors of the windows, and return whether they are small enough."""
    peak = max(float(np.abs(reference).max()) for reference in references.values())
    errors = {
        place: to_db(float(np.abs(sink.windows[place][:, [0, -1]] - reference).max()) / peak)
        for place, reference in references.items()
    }
    worst, last = max(errors, key=lambda place: errors[place]), max(errors)
    print(
        f"largest error in {len(errors)} windows: {errors[worst]:.1f} dB of the peak, at frame {worst}; "
        f"at the end {errors[last]:.1f} dB"
    )
    return errors[worst] < ALLOWED_DB


def _fitting(response: ImpulseResponse, channels: int) -> ImpulseResponse:
    """Return a room for a number of channels; if it has fewer, its first channel is used for all."""
    if response.wiring.inputs != channels:
        response = ImpulseResponse(response.samples[:, 0], response.sample_rate, response.name)
    return response.for_channels(channels)


def file(gigabytes: float, channels: int, sample_rate: int) -> bool:
    """Render a real file of that size; print the results, and return whether all are correct."""
    frames = round(gigabytes * 2**30 / (4 * channels))
    response = reverb.LowPass(0.1 * sample_rate).response(sample_rate)
    rng = np.random.default_rng(3)
    ends = [rng.uniform(-0.2, 0.2, (5000, channels)).astype(np.float32) for _ in range(2)]
    with tempfile.TemporaryDirectory(prefix="reverb-long-", dir=".") as name:
        folder = Path(name)
        if (room := shutil.disk_usage(folder).free) < 1.2 * gigabytes * 2**30:
            print(f"{room / 2**30:.1f} GiB are free; {1.2 * gigabytes:.1f} are needed", file=sys.stderr)
            return False
        _sparse(folder / "in.w64", ends, frames, sample_rate)
        report = reverb.process_file(folder / "in.w64", folder / "out.wav", response)
        size = (folder / "out.wav").stat().st_size
        with soundfile.SoundFile(folder / "out.wav") as out:
            error = max(
                _error(out, 0, ends[0], response), _error(out, frames - len(ends[1]), ends[1], response)
            )
            container, written = str(out.format), int(out.frames)
    print(
        f"{channels} channels at {sample_rate} Hz: {container} of {size / 2**30:.2f} GiB, {written} frames, "
        f"{report.seconds:.0f} s\nlargest error at both ends: {error:.1f} dB; memory at most {resident('VmHWM'):.0f} MB"
    )
    whole = written == report.frames == frames + response.frames - 1 - response.latency
    return whole and container == ("RF64" if gigabytes >= 4 else "WAV") and error < ALLOWED_DB


def _error(out: soundfile.SoundFile, first: int, noise: Audio, response: ImpulseResponse) -> float:
    """Return the error in dB of a file's first and last channel, compared with isolated noise through a response."""
    out.seek(first)
    got = out.read(len(noise), dtype="float64", always_2d=True)[:, [0, -1]]
    row = response.samples[:, 0]
    wanted = [
        np.convolve(noise[:, c].astype(np.float64), row)[response.latency :][: len(noise)] for c in (0, -1)
    ]
    return to_db(float(np.abs(got - np.stack(wanted, axis=1)).max() / np.abs(wanted).max()))


def _sparse(path: Path, ends: list[Audio], frames: int, sample_rate: int) -> None:
    """Write a W64 file with noise at both ends and a hole in between, which needs no disk space."""
    soundfile.write(path, ends[0], sample_rate, "FLOAT", format="W64")
    header = path.read_bytes()[:4096]
    data = header.index(b"data")
    start, size = data + 24, 4 * frames * ends[0].shape[1]
    with path.open("r+b") as out:
        out.seek(16)
        out.write(struct.pack("<Q", start + size))
        out.seek(data + 16)
        out.write(struct.pack("<Q", size + 24))
        out.seek(start + size - ends[1].nbytes)
        out.write(ends[1].tobytes())


def main() -> int:
    """Run the requested test; return 1 on failure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--channels", type=int)
    parser.add_argument("--sample-rate", type=int)
    parser.add_argument("--ir", default="church")
    parser.add_argument(
        "--gigabytes", type=float, help="render a file of this size (GiB) in the current folder instead"
    )
    options = parser.parse_args()
    if options.gigabytes is not None:
        right = file(options.gigabytes, options.channels or 32, options.sample_rate or 192_000)
    else:
        right = stream(options.hours, options.channels or 2, options.sample_rate or 48_000, options.ir)
    print("right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
