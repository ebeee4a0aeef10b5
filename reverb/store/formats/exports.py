"""Export an impulse response to other convolvers: CamillaDSP, BruteFIR, Equalizer APO, jconvolver, ffmpeg.

An export is the program's configuration as a text, and the coefficients as float files that the text names: keep them
in one folder and run the program there.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from reverb.arrays import Audio
from reverb.audiofiles.outputs import PathLike, check_output, whole_or_nothing
from reverb.checks import file_path, flag, instance, one_of, whole
from reverb.errors import ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.formats.bare import write_floats, write_npy, write_raw
from reverb.store.formats.text import write_text

_BLOCK = 1024  # frames, of the real-time programs
_APO_CHANNELS = ("L", "R", "C", "LFE", "RL", "RR", "SL", "SR")
_MAX_JCONVOLVER_CHANNELS = 64
_MAX_EXPORT_CHANNELS = 1024


def export(
    response: ImpulseResponse, path: PathLike, kind: str, *, channels: int = 2, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write a response for another program.

    Parameters
    ----------
    response : ImpulseResponse
        Exported unchanged: the programs have no notion of `latency`, and are late by it.
    path : path-like
        Path of the text; the coefficients are written to the same folder, under its stem.
    kind : str
        One of `KINDS`.
    channels : int
        Number of channels for which a mono response is written.
    overwrite : bool
        Whether to replace existing files.

    Returns
    -------
    tuple of Path
        The files written, the text first.

    Raises
    ------
    ParameterError
        If the kind is unknown, the program cannot use such a response, or an argument has the wrong type.
    AudioFileError
        If a file exists and `overwrite` is false, or cannot be written.
    """
    instance("response", response, ImpulseResponse, "an ImpulseResponse")
    path, overwrite = Path(file_path("path", path)), flag("overwrite", overwrite)
    kind = one_of("format", kind, KINDS)
    channels = whole("channels", channels, 1, _MAX_EXPORT_CHANNELS)
    if kind in _PLAIN:
        _PLAIN[kind](response, path, overwrite=overwrite)
        return (path,)
    response = response.for_channels(channels) if response.is_mono and kind != "ffmpeg" else response
    text, coefficients = _PROGRAMS[kind](response, path)
    files = {path.parent / name: samples for name, samples in coefficients.items()}
    for file in (path, *files):
        check_output(file, overwrite)
    for file, samples in files.items():
        _write_coefficients(file, samples, response.sample_rate, overwrite)
    with whole_or_nothing(path, overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return (path, *files)


_Coefficients = dict[str, Audio]


def _camilladsp(response: ImpulseResponse, path: Path) -> tuple[str, _Coefficients]:
    """Return a configuration from standard input to standard output; its parts fit into any other."""
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


def _brutefir(response: ImpulseResponse, path: Path) -> tuple[str, _Coefficients]:
    """Return a configuration from standard input to standard output, 32-bit floats."""
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
    data: _Coefficients = {}
    for row in range(response.channels):
        name = f"{path.stem}_{row}.f32"
        data[name] = response.samples[:, row]
        lines.append(f'coeff "response{row}" {{ filename: {_quoted(name)}; format: "FLOAT_LE"; }};')
    for direction, names, device, count in (
        ("input", inputs, "/dev/stdin", wiring.inputs),
        ("output", outputs, "/dev/stdout", wiring.outputs),
    ):
        more = " dither: false;" if direction == "output" else ""
        lines.append(
            f'{direction} {names} {{ device: "file" {{ path: "{device}"; }}; '
            f'sample: "FLOAT_LE"; channels: {count};{more} }};'
        )
    for number, wire in enumerate(wiring.paths):
        lines.append(
            f'filter "path{number}" {{ from_inputs: "in{wire.input}"; to_outputs: "out{wire.output}"; '
            f'coeff: "response{wire.response}"; }};'
        )
    return "\n".join(lines) + "\n", data


def _equalizer_apo(response: ImpulseResponse, path: Path) -> tuple[str, _Coefficients]:
    """Return lines to include in a configuration; a matrix uses virtual channels."""
    names = _APO_CHANNELS
    wiring = response.wiring
    if max(wiring.inputs, wiring.outputs) > len(names):
        raise ParameterError(
            f"Equalizer APO has {len(names)} channels; the response needs {wiring.inputs}×{wiring.outputs}"
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


def _jconvolver(response: ImpulseResponse, path: Path) -> tuple[str, _Coefficients]:
    """Return a configuration for jconvolver on the sound card and fconvolver on files."""
    wiring = response.wiring
    if max(wiring.inputs, wiring.outputs) > _MAX_JCONVOLVER_CHANNELS:
        raise ParameterError(f"jconvolver has {_MAX_JCONVOLVER_CHANNELS} channels; the response needs more")
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


def _ffmpeg(response: ImpulseResponse, path: Path) -> tuple[str, _Coefficients]:
    """Return a shell script that takes an input, an output and options of ffmpeg, and renders the tail, too."""
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


# Some versions of afir double the level without documenting it, so the script measures its level for a unit impulse.
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


def _write_coefficients(path: Path, samples: Audio, sample_rate: int, overwrite: bool) -> None:
    """Write 32-bit floats: raw if the path ends in .f32, or else WAV."""
    if path.suffix == ".f32":
        write_floats(samples, path, overwrite)
        return
    with whole_or_nothing(path, overwrite) as temporary:
        floats = np.ascontiguousarray(samples, "<f4")
        soundfile.write(os.fsencode(temporary), floats, sample_rate, "FLOAT", format="WAV")


def _quoted(name: str) -> str:
    """Return a file name in quotation marks, with the escapes of YAML and BruteFIR."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _word(name: str) -> str:
    """Return a file name that is one word in a shell and in a line of jconvolver.

    Raises
    ------
    ParameterError
        If it has other characters than letters, digits and ``._-+=@%,``.
    """
    if not all(c.isalnum() or c in "._-+=@%," for c in name):
        raise ParameterError(
            f"{name!r} is not a plain word, which the program needs; use letters, digits, dots and dashes"
        )
    return name


_PLAIN: dict[str, Callable[..., None]] = {"raw": write_raw, "npy": write_npy, "text": write_text}
_PROGRAMS: dict[str, Callable[[ImpulseResponse, Path], tuple[str, _Coefficients]]] = {
    "camilladsp": _camilladsp,
    "brutefir": _brutefir,
    "equalizer-apo": _equalizer_apo,
    "jconvolver": _jconvolver,
    "ffmpeg": _ffmpeg,
}
KINDS = (*_PLAIN, *_PROGRAMS)
"""The formats of `export`."""
