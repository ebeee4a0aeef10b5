"""One response as another convolver's own: CamillaDSP, BruteFIR, Equalizer APO, jconvolver, ffmpeg.

Each export is a text that the program takes, beside the coefficients as float files whose names it holds: keep them in
one folder and run the program there.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from reverb.audiofiles.outputs import PathLike, check_output, whole_or_nothing
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.formats.bare import write_npy, write_raw
from reverb.store.formats.text import write_text

_BLOCK = 1024  # frames in which the real-time programs work
_MOST_JCONVOLVER = 64


def export(
    response: ImpulseResponse, path: PathLike, kind: str, *, channels: int = 2, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write a response for another program.

    Parameters
    ----------
    response : ImpulseResponse
        As it is: the programs do not know `latency`, and come so much later.
    path : path-like
        Of the text; coefficients lie beside it under its stem.
    kind : str
        One of `KINDS`.
    channels : int
        For which a mono response is written.
    overwrite : bool
        Whether to replace existing files.

    Returns
    -------
    tuple of Path
        What was written, the text first.

    Raises
    ------
    ParameterError
        If the kind is unknown, or the program cannot hold such a response.
    AudioFileError
        If a file exists and must not be replaced, or cannot be written.
    """
    if kind not in KINDS:
        raise ParameterError(f"format {kind!r}; expected one of {', '.join(KINDS)}")
    if kind in _PLAIN:
        _PLAIN[kind](response, path, overwrite=overwrite)
        return (Path(path),)
    response = response.for_channels(channels) if response.is_mono and kind != "ffmpeg" else response
    text, data = _PROGRAMS[kind](response, Path(path))
    check_output(path, overwrite)
    for name in data:
        check_output(Path(path).parent / name, overwrite)
    for name, samples in data.items():
        _write_floats(Path(path).parent / name, samples, response.sample_rate, overwrite)
    with whole_or_nothing(path, overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return (Path(path), *(Path(path).parent / name for name in data))


_Data = dict[str, np.ndarray]


def _camilladsp(response: ImpulseResponse, path: Path) -> tuple[str, _Data]:
    """Make a whole configuration, from standard input to standard output; its parts fit into any other."""
    wiring, name = response.wiring, f"{path.stem}.wav"
    count = len(wiring.paths)
    paths = range(count)
    lines = [
        "# for CamillaDSP 4; version 3 says FLOAT32LE for F32_LE",
        "devices:",
        f"  samplerate: {response.sample_rate}",
        f"  chunksize: {_BLOCK}",
        f"  capture: {{type: Stdin, channels: {wiring.inputs}, format: F32_LE}}",
        f"  playback: {{type: Stdout, channels: {wiring.outputs}, format: F32_LE}}",
        "filters:",
    ]
    for row in range(response.channels):
        parameters = f"{{type: Wav, filename: {_quoted(name)}, channel: {row}}}"
        lines.append(f"  response{row}: {{type: Conv, parameters: {parameters}}}")
    lines += [
        "mixers:",
        "  spread:",
        f"    channels: {{in: {wiring.inputs}, out: {count}}}",
        "    mapping:",
    ]
    lines += [
        f"      - {{dest: {n}, sources: [{{channel: {wiring.paths[n].input}, gain: 0}}]}}" for n in paths
    ]
    lines += [
        "  gather:",
        f"    channels: {{in: {count}, out: {wiring.outputs}}}",
        "    mapping:",
    ]
    for output in range(wiring.outputs):
        sources = [f"{{channel: {n}, gain: 0}}" for n in paths if wiring.paths[n].output == output]
        if sources:
            lines.append(f"      - {{dest: {output}, sources: [{', '.join(sources)}]}}")
    lines += ["pipeline:", "  - {type: Mixer, name: spread}"]
    lines += [
        f"  - {{type: Filter, channels: [{n}], names: [response{wiring.paths[n].response}]}}" for n in paths
    ]
    lines += ["  - {type: Mixer, name: gather}"]
    return "\n".join(lines) + "\n", {name: response.samples}


def _brutefir(response: ImpulseResponse, path: Path) -> tuple[str, _Data]:
    """Make a configuration from standard input to standard output, 32-bit floats."""
    wiring = response.wiring
    blocks = max(-(-response.frames // _BLOCK), 1)
    inputs = ", ".join(f'"in{n}"' for n in range(wiring.inputs))
    outputs = ", ".join(f'"out{n}"' for n in range(wiring.outputs))
    lines = [
        f"sampling_rate: {response.sample_rate};",
        f"filter_length: {_BLOCK},{blocks};",
        "float_bits: 64;",
        "show_progress: false;",
        "overflow_warnings: false;",
        'convolver_config: "/dev/null";',
    ]
    data: _Data = {}
    for row in range(response.channels):
        name = f"{path.stem}_{row}.f32"
        data[name] = response.samples[:, row]
        lines.append(f'coeff "response{row}" {{ filename: {_quoted(name)}; format: "FLOAT_LE"; }};')
    for word, names, device, count in (
        ("input", inputs, "/dev/stdin", wiring.inputs),
        ("output", outputs, "/dev/stdout", wiring.outputs),
    ):
        more = " dither: false;" if word == "output" else ""
        lines.append(
            f'{word} {names} {{ device: "file" {{ path: "{device}"; }}; '
            f'sample: "FLOAT_LE"; channels: {count};{more} }};'
        )
    for number, wire in enumerate(wiring.paths):
        lines.append(
            f'filter "path{number}" {{ from_inputs: "in{wire.input}"; to_outputs: "out{wire.output}"; '
            f'coeff: "response{wire.response}"; }};'
        )
    return "\n".join(lines) + "\n", data


def _equalizer_apo(response: ImpulseResponse, path: Path) -> tuple[str, _Data]:
    """Make lines to include; a matrix goes through virtual channels."""
    names = ("L", "R", "C", "LFE", "RL", "RR", "SL", "SR")
    wiring = response.wiring
    if max(wiring.inputs, wiring.outputs) > len(names):
        raise ParameterError(
            f"Equalizer APO knows {len(names)} channels; the response has {wiring.inputs}×{wiring.outputs}"
        )
    head = f"# {response.sample_rate} Hz: the device must run at this rate\n"
    if all(p.input == p.output == p.response for p in wiring.paths) and wiring.inputs == wiring.outputs:
        name = f"{path.stem}.wav"
        return head + f"Channel: {' '.join(names[: wiring.inputs])}\nConvolution: {name}\n", {
            name: response.samples
        }
    data = {f"{path.stem}_{row}.wav": response.samples[:, row] for row in range(response.channels)}
    lines = ["Copy: " + " ".join(f"P{n}={names[p.input]}" for n, p in enumerate(wiring.paths))]
    for n, wire in enumerate(wiring.paths):
        lines += [f"Channel: P{n}", f"Convolution: {path.stem}_{wire.response}.wav"]
    sums = []
    for output in range(wiring.outputs):
        parts = "+".join(f"P{n}" for n, p in enumerate(wiring.paths) if p.output == output)
        sums.append(f"{names[output]}={parts or '0.0'}")
    return head + "\n".join([*lines, "Channel: all", "Copy: " + " ".join(sums)]) + "\n", data


def _jconvolver(response: ImpulseResponse, path: Path) -> tuple[str, _Data]:
    """Make a configuration for jconvolver on the sound card and fconvolver on files."""
    wiring = response.wiring
    if max(wiring.inputs, wiring.outputs) > _MOST_JCONVOLVER:
        raise ParameterError(f"jconvolver knows {_MOST_JCONVOLVER} channels; the response has more")
    name = f"{path.stem}.wav"
    lines = [
        f"# {response.name}: {response.layout}, {response.sample_rate} Hz",
        f"/convolver/new {wiring.inputs} {wiring.outputs} {_BLOCK} {response.frames}",
    ]
    lines += [
        f"/impulse/read {p.input + 1} {p.output + 1} 1 0 0 0 {p.response + 1} {_word(name)}"
        for p in wiring.paths
    ]
    return "\n".join(lines) + "\n", {name: response.samples}


def _ffmpeg(response: ImpulseResponse, path: Path) -> tuple[str, _Data]:
    """Make a shell script that takes an input, an output and more of ffmpeg's options; the tail is kept."""
    wiring, name = response.wiring, f"{path.stem}.wav"
    seconds = min(max(response.seconds + 1, 1), 60)
    afir = f"afir=gtype=none:irfmt={{}}:maxir={seconds:g}"
    pad = f"apad=pad_len={response.frames - 1}"
    if response.is_mono:
        graph = f"[0:a]{pad}[x];[x][1:a]{afir.format('mono')}"
    else:
        count = len(wiring.paths)
        spread = "|".join(f"c{n}=c{p.input}" for n, p in enumerate(wiring.paths))
        rows = "|".join(f"c{n}=c{p.response}" for n, p in enumerate(wiring.paths))
        sums = []
        for output in range(wiring.outputs):
            parts = "+".join(f"c{n}" for n, p in enumerate(wiring.paths) if p.output == output)
            sums.append(f"c{output}={parts or '0*c0'}")
        shape = {1: "mono", 2: "stereo"}.get(wiring.outputs, f"{wiring.outputs}c")
        graph = (
            f"[0:a]{pad},pan={count}c|{spread}[x];[1:a]pan={count}c|{rows}[h];"
            f"[x][h]{afir.format('input')}[y];[y]pan={shape}|{'|'.join(sums)}"
        )
    script = _FFMPEG_SCRIPT.format(
        layout=response.layout,
        rate=response.sample_rate,
        script=path.name,
        name=_word(name),
        graph=graph.replace("[0:a]", f"[0:a]aresample={response.sample_rate},", 1),
    )
    return script, {name: response.samples}


# Some versions of afir double the level without saying so: what it makes of a unit impulse tells.
_FFMPEG_SCRIPT = r"""#!/bin/sh
# {layout} at {rate} Hz; usage: sh {script} INPUT OUTPUT [-c:a pcm_f32le ...]
here=$(dirname -- "$0") in=$1 out=$2
shift 2
unit="aevalsrc=eq(n\,0):d=0.5:s={rate}"
level=$(ffmpeg -nostdin -f lavfi -i "$unit" -f lavfi -i "$unit" -filter_complex \
  "[0:a][1:a]afir=gtype=none:irfmt=mono,astats=measure_perchannel=none" -f null - 2>&1 |
  sed -n 's/.*Peak level dB: //p' | tail -n 1)
exec ffmpeg -i "$in" -i "$here/"{name} -filter_complex \
  "{graph},volume=volume=exp(-(${{level:-0}})*0.11512925464970229):precision=double" "$@" "$out"
"""


def _write_floats(path: Path, samples: np.ndarray, rate: int, overwrite: bool) -> None:
    """Write coefficients as the file's ending says: raw, or WAV of 32-bit floats."""
    floats = np.ascontiguousarray(samples, "<f4")
    with whole_or_nothing(path, overwrite) as temporary:
        if path.suffix == ".f32":
            temporary.write_bytes(floats.tobytes())
        else:
            soundfile.write(os.fsencode(temporary), floats, rate, "FLOAT", format="WAV")


def _quoted(name: str) -> str:
    """Quote a file name as YAML and BruteFIR both take it."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _word(name: str) -> str:
    """Return a file name as one word of a shell or a jconvolver line.

    Raises
    ------
    ParameterError
        If it has characters that they would take apart.
    """
    if not all(c.isalnum() or c in "._-+=@%," for c in name):
        raise ParameterError(
            f"{name!r} is no plain word, which the program needs; use letters, digits, dots and dashes"
        )
    return name


_PLAIN: dict[str, Callable[..., None]] = {"raw": write_raw, "npy": write_npy, "text": write_text}
_PROGRAMS: dict[str, Callable[[ImpulseResponse, Path], tuple[str, _Data]]] = {
    "camilladsp": _camilladsp,
    "brutefir": _brutefir,
    "equalizer-apo": _equalizer_apo,
    "jconvolver": _jconvolver,
    "ffmpeg": _ffmpeg,
}
KINDS = (*_PLAIN, *_PROGRAMS)
"""What `export` writes."""
