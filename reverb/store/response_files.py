"""Read and write impulse responses as audio files."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from reverb.arrays import Audio, as_audio, as_sample_rate
from reverb.audiofiles.files import (
    NewSound,
    bounded,
    check_density,
    check_encoder,
    open_sound,
    output_format,
    output_subtype,
    read_blocks,
    shortfall,
    write_error,
    write_tags,
)
from reverb.audiofiles.libsndfile import leave_out_peak_chunk
from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.checks import file_path, flag, instance
from reverb.engine.routing import Path as Wire
from reverb.engine.routing import Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.layouts import LAYOUTS, MAX_CHANNELS, dtype_within_limit, parse_layout, usual_wiring
from reverb.responses.response import ImpulseResponse, owning
from reverb.store.formats import READERS
from reverb.store.formats.checks import MAX_SECONDS, check_given_rate, require_sound

_COMMENT = "reverb impulse response: "
_WITHOUT_COMMENTS = {"W64", "AU"}
_DOUBLE_SUBTYPES = {"DOUBLE", "PCM_32"}
_BLOCK = 1 << 18  # frames


def load_response(
    path: PathLike, layout: str | None = None, sample_rate: int | None = None
) -> ImpulseResponse:
    """Load an impulse response from an audio file (WAV, AIFF, FLAC, OGG, ...) or one of `reverb.store.formats`.

    Parameters
    ----------
    path : path-like
    layout : str, optional
        ``mono``, ``stereo``, ``true-stereo``, ``parallel`` or a matrix such as ``2x4``; by default the layout that
        `save_response` wrote into the file, or else the usual one of the number of channels.
    sample_rate : int, optional
        In Hz, for a file without one: raw floats, text, ``.npy``. A sound file must have the same one.

    Returns
    -------
    ImpulseResponse
        float32, or float64 if the file has more than 24 bits.

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    InvalidAudioError
        If it is silent, longer than two minutes, has more than 16 million samples or NaN, or its layout is ambiguous.
    ParameterError
        If the layout is unknown, or the sample rate is not that of the file.

    Warns
    -----
    UserWarning
        If the file is truncated; the response is the part that can be read.

    Examples
    --------
    >>> load_response("measured.wav", layout="true-stereo")  # doctest: +SKIP
    <ImpulseResponse 'measured': true-stereo, 96000 frames (2.000 s) at 48000 Hz>
    """
    path = Path(file_path("impulse response", path))
    layout = None if layout is None else instance("layout", layout, str, "a layout's name")
    sample_rate = None if sample_rate is None else as_sample_rate(sample_rate)
    reader = READERS.get(path.suffix.lower())
    if reader is not None:
        module, _, function = reader.partition(":")
        read: Callable[..., ImpulseResponse] = getattr(
            import_module(f"reverb.store.formats.{module}"), function
        )
        return read(path, layout, sample_rate)
    with open_sound(path) as sound:
        check_given_rate(path, sound.samplerate, sample_rate)
        if sound.frames > MAX_SECONDS * sound.samplerate:
            raise InvalidAudioError(
                f"{path}: lasts {sound.frames / sound.samplerate:.0f} s; expected at most {MAX_SECONDS} s. "
                "Is it a recording rather than an impulse response?"
            )
        if (truncation := shortfall(sound)) is not None:
            warnings.warn(truncation, stacklevel=2)
        check_density(sound)
        exact = np.float64 if sound.subtype in _DOUBLE_SUBTYPES else np.float32
        dtype = np.dtype(dtype_within_limit(sound.frames, sound.channels, exact, str(path))).name
        samples = np.empty((sound.frames, sound.channels), dtype)
        position = 0
        for block in read_blocks(sound, _BLOCK, lambda file, n: file.read(n, dtype, always_2d=True)):
            samples[position : position + len(block)] = block
            position += len(block)
        samples.resize((position, sound.channels), refcheck=False)
        facts = facts_in(sound.copy_metadata().get("comment", ""), _COMMENT)
        sample_rate = sound.samplerate
    samples = as_audio(samples, str(path), many_channels=True)
    require_sound(path, samples)
    latency = facts.get("latency", 0)
    if layout is not None:
        wiring = parse_layout(layout, samples.shape[1])
    else:
        wiring = _saved_wiring(facts, samples.shape[1]) or usual_wiring(samples.shape[1], str(path))
    return owning(
        samples,
        sample_rate,
        str(facts.get("name") or path.stem),
        wiring,
        latency if isinstance(latency, int) and 0 <= latency < len(samples) else 0,
    )


def save_response(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Save a response as an audio file, which any convolver can load.

    Layout, name and latency are written into the file's comment, from which `load_response` restores them. WAV, AIFF,
    W64, RF64 and CAF keep every bit; FLAC rounds to 24 bits and OGG is lossy.

    Parameters
    ----------
    response : ImpulseResponse
    path : path-like
        Its ending says the format.
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    AudioFileError
        If the file exists and `overwrite` is false, or cannot be written.
    InvalidAudioError
        If the response has samples beyond ±1 and the format cannot store them.
    ParameterError
        If the response needs a comment and the format has none, or an argument has the wrong type.

    Examples
    --------
    >>> save_response(ImpulseResponse([1.0, 0.5], 48_000), "two.wav")  # doctest: +SKIP
    """
    instance("response", response, ImpulseResponse, "an ImpulseResponse")
    path, overwrite = Path(file_path("path", path)), flag("overwrite", overwrite)
    container = output_format(path)
    exact = "DOUBLE" if response.samples.dtype == np.float64 else "FLOAT"
    subtype = output_subtype(container, exact)
    check_encoder(path, subtype, response.sample_rate, response.channels)
    largest = float(np.abs(response.samples).max())
    if bounded(subtype) and largest > 1.0:
        raise InvalidAudioError(
            f"{path}: {container} stores samples up to ±1, the response reaches {largest:.3g}; "
            "save it as .wav, or normalize it first"
        )
    if container in _WITHOUT_COMMENTS and (response.latency or response.wiring not in LAYOUTS.values()):
        raise ParameterError(
            f"{path}: {container} cannot store a latency of {response.latency} frames and the layout "
            f"{response.layout}; save the response as .wav"
        )
    facts = {
        "name": response.name,
        "latency": response.latency,
        "inputs": response.wiring.inputs,
        "outputs": response.wiring.outputs,
        "paths": [list(path) for path in response.wiring.paths],
    }
    write_with_facts(
        response.samples,
        response.sample_rate,
        path,
        (container, subtype),
        response.name,
        _COMMENT + json.dumps(facts),
        overwrite=overwrite,
        peak_chunk=False,
    )


def write_with_facts(
    samples: Audio,
    sample_rate: int,
    path: Path,
    form: tuple[str, str],
    title: str,
    comment: str,
    *,
    overwrite: bool,
    peak_chunk: bool,
) -> None:
    """Write an audio file with a title and a comment that `facts_in` reads.

    Parameters
    ----------
    form : (container, subtype)
    peak_chunk : bool
        Whether to keep libsndfile's peak chunk; it has the time of writing, so equal samples give different bytes.
    """
    container, subtype = form
    with whole_or_nothing(path, overwrite) as temporary:
        try:
            with NewSound(
                os.fsencode(temporary), "w", sample_rate, samples.shape[1], subtype, format=container
            ) as sound:
                if not peak_chunk:
                    leave_out_peak_chunk(sound)
                write_tags(sound, {"title": title, "comment": comment})
                sound.write(samples)
        except soundfile.LibsndfileError as error:
            kind = f"{container} {subtype} with {samples.shape[1]} channels"
            raise write_error(path, kind, error) from error


def facts_in(comment: str, prefix: str) -> dict[str, Any]:
    """Return the facts in a comment: a prefix, then a JSON object; none in any other comment."""
    if not comment.startswith(prefix):
        return {}
    try:
        facts = json.loads(comment.removeprefix(prefix))
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _saved_wiring(facts: dict[str, Any], channels: int) -> Routing | None:
    """Return the wiring among a saved file's facts; None if it is missing or invalid."""
    try:
        inputs, outputs = int(facts["inputs"]), int(facts["outputs"])
        paths = tuple(Wire(int(i), int(o), int(row)) for i, o, row in facts["paths"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not (0 < inputs <= MAX_CHANNELS and 0 < outputs <= MAX_CHANNELS):
        return None
    in_range = all(0 <= i < inputs and 0 <= o < outputs and 0 <= row < channels for i, o, row in paths)
    wiring = Routing(inputs, outputs, paths) if in_range else None
    return wiring if wiring is not None and wiring.responses == channels else None
