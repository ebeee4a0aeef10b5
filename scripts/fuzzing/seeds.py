"""The files to damage: short generated ones of every kind, and the beginnings of real ones."""

import io
import json
import multiprocessing
import pickle
import struct
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from reverb.responses.measure.sweep import Sweep, signal
from reverb.responses.response import ImpulseResponse
from reverb.store.response_files import save_response
from reverb.store.sweep_files import save_played

ROOT = Path(__file__).resolve().parents[2]
_RATE = 44_100
_SMALL = 70_000  # bytes, up to which a real file is used whole
_HEAD = 24_000  # bytes of a larger file, cut at its chunks

_CONTAINERS = {
    ".wav": ("PCM_16", "PCM_24", "PCM_U8", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"),
    ".aiff": ("PCM_16", "FLOAT", "IMA_ADPCM"),
    ".flac": ("PCM_16", "PCM_24"),
    ".ogg": ("VORBIS", "OPUS"),
    ".mp3": ("MPEG_LAYER_III",),
    ".w64": ("PCM_16", "IMA_ADPCM"),
    ".rf64": ("PCM_24",),
    ".caf": ("PCM_16", "ALAC_16", "ALAC_32"),
    ".au": ("PCM_16", "FLOAT", "G721_32"),
}
# Other formats that libsndfile recognizes by their first bytes.
_OTHERS = (
    "VOC",
    "NIST",
    "IRCAM",
    "PAF",
    "SVX",
    "MAT4",
    "MAT5",
    "PVF",
    "XI",
    "HTK",
    "SDS",
    "AVR",
    "WVE",
    "MPC2K",
)
_EQUALIZERS = (
    "frequency,raw,equalization\n20,9,-1.5\n1000,9,0\n16000,9,3.25\n",
    "Freq (Hz);Gain (dB)\n20,0;-1,5\n1000;0\n16000;3,25\n",
    "* Measurement data\n20.0 -1.5 90\n1000.0 0.0 -3\n16000.0 3.25 0\n",
    "GraphicEQ: 20 -1.5; 1000 0.0; 16000 3.25\n",
    "Preamp: -6.5 dB\nFilter 1: ON PK Fc 63.20 Hz Gain -5.00 dB Q 4.00\nFilter 2: ON LSC Fc 105 Hz Gain 2.5 dB Q 0.70\n"
    "Filter 3: ON HP Fc 30 Hz\nFilter 4: ON NO Fc 50 Hz\nFilter 5: ON None\n",
)
_TEXTS = (
    "# sample rate 48000 Hz, stereo\n" + "".join(f"{0.9**n:.9g} {-(0.8**n):.9g}\n" for n in range(60)),
    "Impulse Response data saved by REW V5.19\n4.3E-4 // Peak value before normalisation\n3 // Peak index\n"
    "6 // Response length\n2.0833333333333333E-5 // Sample interval (seconds)\n-6.25E-5 // Start time (seconds)\n"
    "* Data start\n-3.1990022E-4\n4.7188485E-4\n0.1\n1.0\n-0.5\n2.5E-1\n",
    "1.0, 0.5\n\n-2e-1,0\n",
)
_CONFIGURATION = """/convolver/new 2 2 256 4000
/impulse/read 1 1 0.5 10 0 0 1 room.wav
/impulse/read 2 2 0.5 10 5 300 2 room.wav
/impulse/dirac 1 2 0.7 100
/impulse/copy 2 1 1 2
"""
_PRESET = """format = 1
tempo = 120
level = "loudness"
[[step]]
type = "echoes"
beats = 0.75
feedback = 0.5
damping = 3000
ping_pong = true
[[step]]
type = "parallel"
[[step.branch]]
gain_db = -3
[[step.branch]]
[[step.branch.step]]
type = "reverb"
ir = "room.wav"
mix = 0.3
predelay_ms = 20
[[step]]
type = "curve"
file = "eq.csv"
[[step]]
type = "crossover"
at = [300, 3000]
slope = 24
[[step.band]]
[[step.band]]
gain_db = 2
[[step.band]]
[[step.band.step]]
type = "notch"
frequency = 50
harmonics = 3
"""


class Seed(NamedTuple):
    """A file: its kind, which selects mutations and targets, its extension, and its content."""

    kind: str
    ending: str
    data: bytes


def companions() -> dict[str, bytes]:
    """Return the files that presets and configurations of all cases refer to, by name."""
    return {"room.wav": _encoded(_sound(2), ".wav", "PCM_16"), "eq.csv": _EQUALIZERS[0].encode()}


def corpus(real: Path | None) -> list[Seed]:
    """Return all seeds, in an order that depends only on the files.

    They are made in a separate process, because the libraries that write some of them are large.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_corpus, (real,))


def _corpus(real: Path | None) -> list[Seed]:
    seeds = [*_made(), *_texts(), *_real(ROOT / "impulses"), *_real(ROOT / "examples" / "audio")]
    seeds += [Seed("toml", ".toml", path.read_bytes()) for path in sorted((ROOT / "presets").glob("*.toml"))]
    if real is not None:
        seeds += _real(real)
    return seeds


def _sound(channels: int, frames: int = 3000) -> np.ndarray:
    rng = np.random.default_rng(channels)
    decay = np.exp(-np.arange(frames) / 500)[:, np.newaxis]
    return 0.5 * decay * rng.uniform(-1, 1, (frames, channels))


def _encoded(samples: np.ndarray, ending: str, subtype: str | None) -> bytes:
    containers = {".ogg": "OGG", ".aiff": "AIFF"}
    file = io.BytesIO()
    container = containers.get(ending, ending[1:].upper())
    rate = 48_000 if subtype == "OPUS" else _RATE
    soundfile.write(file, samples, rate, subtype, format=container)
    return file.getvalue()


def _made() -> Iterator[Seed]:
    """Yield a short sound file of every kind."""
    for ending, subtypes in _CONTAINERS.items():
        for number, subtype in enumerate(subtypes):
            channels = 1 if subtype in ("GSM610", "G721_32", "IMA_ADPCM") else 1 + number % 2
            yield Seed(ending[1:], ending, _encoded(_sound(channels), ending, subtype))
    for container in _OTHERS:
        try:
            yield Seed("other", ".wav", _encoded(_sound(1), f".{container}", None))
        except (soundfile.LibsndfileError, ValueError, OSError):
            continue  # needs a separate file
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.wav"
        save_response(ImpulseResponse(_sound(4), _RATE, "saved", latency=5), path)
        yield Seed("wav", ".wav", path.read_bytes())
        path = Path(folder) / "sweep.flac"
        sweep = Sweep(seconds=0.2, sample_rate=8000, low=100, high=3000, pause=0.1)
        save_played(signal(sweep), sweep, path)
        yield Seed("flac", ".flac", path.read_bytes())
        yield Seed("sofa", ".sofa", _sofa(Path(folder) / "a.sofa"))


def _sofa(path: Path) -> bytes:
    import sofar

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sofa = sofar.Sofa("SimpleFreeFieldHRIR")
        sofa.Data_IR = _sound(6, 40).T.reshape(3, 2, 40)
        sofa.Data_SamplingRate = _RATE
        sofa.SourcePosition = np.array([[0.0, 0, 1], [90, 0, 1], [0, 45, 1]])
        sofar.write_sofa(str(path), sofa)
    return path.read_bytes()


def _texts() -> Iterator[Seed]:
    """Yield files of numbers, with and without a header, and text files."""
    samples = _sound(2, 300).astype("<f4")
    yield Seed("raw", ".f32", samples.tobytes())
    yield Seed("raw", ".f64", samples.astype("<f8").tobytes())
    yield Seed("raw", ".raw", samples.tobytes())
    for array in (samples, samples[:, 0].astype(">f8"), (samples * 1000).astype(np.int16)):
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        yield Seed("npy", ".npy", file.getvalue())
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }"
    yield Seed(
        "npy", ".npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + pickle.dumps([1, 2, 3])
    )
    for text in _TEXTS:
        yield Seed("text", ".txt", text.encode())
    for text in _EQUALIZERS:
        yield Seed("equalizer", ".csv", text.encode())
    yield Seed("equalizer", ".csv", _EQUALIZERS[0].encode("utf-16"))
    yield Seed("configuration", ".conf", _CONFIGURATION.encode())
    yield Seed("toml", ".toml", _PRESET.encode())
    facts = {"name": "x", "latency": 3, "inputs": 2, "outputs": 2, "paths": [[0, 0, 0], [1, 1, 1]]}
    yield Seed("comment", ".json", json.dumps(facts).encode())


def _real(folder: Path) -> Iterator[Seed]:
    """Yield the sound and SOFA files of a folder; large ones are cut if their format allows it."""
    for path in sorted(folder.rglob("*")):
        ending = path.suffix.lower()
        if ending not in (".wav", ".aif", ".aiff", ".flac", ".ogg", ".sofa"):
            continue
        kind = {"aif": "aiff"}.get(ending[1:], ending[1:])
        data = path.read_bytes()
        if ending in (".wav", ".aif", ".aiff"):
            yield Seed(kind, ending, _shortened(data))
        elif ending == ".sofa" or len(data) <= _SMALL:
            yield Seed(kind, ending, data)
        else:
            with soundfile.SoundFile(path) as sound:
                samples, subtype = sound.read(4000, always_2d=True), sound.subtype
            yield Seed(kind, ending, _encoded(samples, ending, subtype))


def _shortened(data: bytes) -> bytes:
    """Return a RIFF or AIFF file with the same header and chunks, but less audio."""
    form = ">I" if data[:4] == b"FORM" else "<I"
    kept, place = bytearray(data[:12]), 12
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(form, data, place + 4)
        if data[place : place + 4] in (b"data", b"SSND"):
            less = min(size, _HEAD) // 24 * 24
            kept += data[place : place + 4] + struct.pack(form, less) + data[place + 8 : place + 8 + less]
        else:
            kept += data[place : place + 8 + size + size % 2]
        place += 8 + size + size % 2
    struct.pack_into(form, kept, 4, len(kept) - 8)
    return bytes(kept)
