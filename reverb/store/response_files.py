"""Responses from and to audio files."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import soundfile

from reverb.arrays import as_audio
from reverb.audiofiles.files import (
    NewSound,
    bounded,
    check_density,
    check_encoder,
    check_loudness,
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
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.shape import LAYOUTS, MAX_CHANNELS, dtype_within_limit, parse_layout, usual_wiring
from reverb.store.formats import READERS

_COMMENT = "reverb impulse response: "
_LONGEST_SECONDS = 120
_WITHOUT_COMMENTS = {"W64", "AU"}
_DOUBLE_SUBTYPES = {"DOUBLE", "PCM_32"}
_BLOCK = 1 << 18


def load_response(
    path: PathLike, layout: str | None = None, sample_rate: int | None = None
) -> ImpulseResponse:
    """Load an impulse response from an audio file (WAV, AIFF, FLAC, OGG, ...) or one of `reverb.store.formats`.

    Parameters
    ----------
    path : path-like
    layout : str, optional
        ``mono``, ``stereo``, ``true-stereo``, ``parallel`` or a matrix such as ``2x4``; by default what the number of
        channels says, or what `save_response` wrote into the file.
    sample_rate : int, optional
        In Hz, of a file that does not tell it: raw floats, text, ``.npy``.

    Returns
    -------
    ImpulseResponse
        float32, or float64 where the file holds more than 24 bits.

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    InvalidAudioError
        If it is silent, longer than two minutes, more than 16 million samples, holds NaN, or its layout is not clear.

    Warns
    -----
    UserWarning
        If the file is truncated; what can be read is used.
    """
    reader = READERS.get(FilePath(path).suffix.lower())
    if reader is not None:
        module, _, function = reader.partition(":")
        read: Callable[..., ImpulseResponse] = getattr(
            import_module(f"reverb.store.formats.{module}"), function
        )
        return read(path, layout, sample_rate)
    with open_sound(path) as sound:
        if sample_rate not in (None, sound.samplerate):
            raise ParameterError(f"{path}: has {sound.samplerate} Hz; {sample_rate} Hz was said")
        if sound.frames > _LONGEST_SECONDS * sound.samplerate:
            raise InvalidAudioError(
                f"{path}: lasts {sound.frames / sound.samplerate:.0f} s; an impulse response may last "
                f"{_LONGEST_SECONDS} s. Is it a recording rather than a response?"
            )
        if (lacking := shortfall(sound)) is not None:
            warnings.warn(lacking, stacklevel=2)
        check_density(sound)
        wanted = np.float64 if sound.subtype in _DOUBLE_SUBTYPES else np.float32
        dtype = np.dtype(dtype_within_limit(sound.frames, sound.channels, wanted, str(path))).name
        samples = np.empty((sound.frames, sound.channels), dtype)
        position = 0
        for block in read_blocks(sound, _BLOCK, lambda file, n: file.read(n, dtype, always_2d=True)):
            samples[position : position + len(block)] = block
            position += len(block)
        samples.resize((position, sound.channels), refcheck=False)
        facts = _facts(sound.copy_metadata().get("comment", ""))
        sample_rate = sound.samplerate
    samples = as_audio(samples, str(path), many_channels=True)
    check_loudness(max(float(samples.max()), -float(samples.min())), str(path))
    if not samples.any():
        raise InvalidAudioError(f"{path}: is silent; an impulse response must hold sound")
    latency = facts.get("latency", 0)
    if layout is not None:
        wiring = parse_layout(layout, samples.shape[1])
    else:
        wiring = _saved_wiring(facts, samples.shape[1]) or usual_wiring(samples.shape[1], str(path))
    return owning(
        samples,
        sample_rate,
        str(facts.get("name") or FilePath(path).stem),
        wiring,
        latency if isinstance(latency, int) and 0 <= latency < len(samples) else 0,
    )


def save_response(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Save a response as an audio file that any convolver loads.

    Layout, name and latency go into the file's comment, from which `load_response` takes them back. WAV, AIFF,
    W64, RF64 and CAF keep every bit; FLAC rounds to 24 bits and OGG is lossy.

    Raises
    ------
    AudioFileError
        If the file exists and `overwrite` is false, or cannot be written.
    InvalidAudioError
        If the format can hold no sample beyond ±1 and the response has one.
    ParameterError
        If the format can hold no comment and the response needs one.
    """
    container = output_format(path)
    exact = "DOUBLE" if response.samples.dtype == np.float64 else "FLOAT"
    subtype = output_subtype(container, exact)
    check_encoder(path, subtype, response.sample_rate, response.channels)
    largest = float(np.abs(response.samples).max())
    if bounded(subtype) and largest > 1.0:
        raise InvalidAudioError(
            f"{path}: {container} holds samples up to ±1, the response reaches {largest:.3g}; "
            "save it as .wav, or normalize it first"
        )
    if container in _WITHOUT_COMMENTS and (response.latency or not _is_usual(response)):
        raise ParameterError(
            f"{path}: {container} has no room for a latency of {response.latency} frames and the layout "
            f"{response.layout}; save the response as .wav"
        )
    facts = {
        "name": response.name,
        "latency": response.latency,
        "inputs": response.wiring.inputs,
        "outputs": response.wiring.outputs,
        "paths": [list(path) for path in response.wiring.paths],
    }
    with whole_or_nothing(path, overwrite) as temporary:
        try:
            with NewSound(
                os.fsencode(temporary),
                "w",
                response.sample_rate,
                response.channels,
                subtype,
                format=container,
            ) as sound:
                leave_out_peak_chunk(sound)
                write_tags(sound, {"title": response.name, "comment": _COMMENT + json.dumps(facts)})
                sound.write(response.samples)
        except soundfile.LibsndfileError as error:
            raise write_error(
                path, f"{container} {subtype} with {response.channels} channels", error
            ) from error


def _is_usual(response: ImpulseResponse) -> bool:
    """Return whether the number of channels alone says the layout."""
    return response.wiring in LAYOUTS.values()


def _facts(comment: str) -> dict[str, Any]:
    """Return what `save_response` wrote into a comment, nothing for a comment of somebody else's."""
    if not comment.startswith(_COMMENT):
        return {}
    try:
        facts = json.loads(comment[len(_COMMENT) :])
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _saved_wiring(facts: dict[str, Any], channels: int) -> Routing | None:
    """Return the wiring among a saved file's facts; None, for the usual one, where it is missing or broken."""
    try:
        inputs, outputs = int(facts["inputs"]), int(facts["outputs"])
        paths = tuple(Path(int(i), int(o), int(row)) for i, o, row in facts["paths"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not (0 < inputs <= MAX_CHANNELS and 0 < outputs <= MAX_CHANNELS):
        return None
    in_range = all(0 <= i < inputs and 0 <= o < outputs and 0 <= row < channels for i, o, row in paths)
    wiring = Routing(inputs, outputs, paths) if in_range else None
    return wiring if wiring is not None and wiring.responses == channels else None
