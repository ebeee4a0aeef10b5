"""The sound cards of this machine: listing them, and finding one by its number or a part of its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from reverb.errors import DeviceError, UnknownNameError

Kind = Literal["input", "output"]

COMMON_RATES = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 32_000, 22_050, 16_000, 8_000)

# Where one card shows up under several host APIs, the earlier one has the lower latency.
_PREFERRED = (
    "ASIO",
    "Windows WASAPI",
    "Core Audio",
    "JACK Audio Connection Kit",
    "ALSA",
    "Windows DirectSound",
)

# MME is slow; and where a JACK server runs, ALSA's default is either taken by it or leads to it by a detour.
_BETTER = {"MME": "Windows WASAPI", "ALSA": "JACK Audio Connection Kit"}


@dataclass(frozen=True)
class Device:
    """A sound card, as PortAudio describes it.

    Attributes
    ----------
    index : int
        Its number for ``--input-device`` and ``--output-device``.
    name, host_api : str
    inputs, outputs : int
        Channels.
    sample_rate : int
        Its default, in Hz.
    low_latency, high_latency : float
        Default seconds of the output, or of the input where it has no output.
    default_input, default_output : bool
        Whether it is taken where none is named.
    """

    index: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    sample_rate: int
    low_latency: float
    high_latency: float
    default_input: bool = False
    default_output: bool = False

    def channels(self, kind: Kind) -> int:
        """Return the number of its input or output channels."""
        return self.inputs if kind == "input" else self.outputs


def describe(device: Device) -> str:
    """Return a device's number, name and host API for a message."""
    return f"device {device.index} ({device.name!r}, {device.host_api})"


def devices() -> list[Device]:
    """Return the sound cards of this machine.

    Raises
    ------
    MissingExtraError
        If PortAudio is not installed.
    """
    from reverb.live.portaudio import load

    sounddevice = load()
    apis = sounddevice.query_hostapis()
    chosen = {kind: _default_index(sounddevice, apis, kind) for kind in ("input", "output")}
    return [
        Device(
            index=index,
            name=str(entry["name"]),
            host_api=str(apis[entry["hostapi"]]["name"]),
            inputs=int(entry["max_input_channels"]),
            outputs=int(entry["max_output_channels"]),
            sample_rate=int(entry["default_samplerate"]),
            low_latency=float(entry[f"default_low_{_latency_side(entry)}_latency"]),
            high_latency=float(entry[f"default_high_{_latency_side(entry)}_latency"]),
            default_input=index == chosen["input"],
            default_output=index == chosen["output"],
        )
        for index, entry in enumerate(sounddevice.query_devices())
    ]


def _latency_side(entry: Any) -> str:
    return "output" if entry["max_output_channels"] else "input"


def _default_index(sounddevice: Any, apis: Any, kind: str) -> int:
    """Return the default device's number, −1 for none: PortAudio's, or that of an API which serves it better."""
    index = int(sounddevice.default.device[0 if kind == "input" else 1])
    if index < 0:
        candidates = [int(api[f"default_{kind}_device"]) for api in apis]
        index = next((candidate for candidate in candidates if candidate >= 0), -1)
    if index >= 0:
        name = _BETTER.get(apis[sounddevice.query_devices(index)["hostapi"]]["name"])
        better = [int(api[f"default_{kind}_device"]) for api in apis if api["name"] == name]
        index = next((candidate for candidate in better if candidate >= 0), index)
    return index


def find_device(wanted: int | str | None, kind: Kind, among: list[Device] | None = None) -> Device:
    """Return the device that a number or a part of a name means.

    Parameters
    ----------
    wanted : int, str or None
        A number, words that occur in name or host API (``"scarlett asio"``), or None for the default.
    kind : {'input', 'output'}
        What it must be able to do.
    among : list of Device, optional
        By default those of `devices`.

    Raises
    ------
    UnknownNameError
        If none, or more than one, is meant.
    DeviceError
        If there is no sound card at all.
    """
    known = devices() if among is None else among
    able = [device for device in known if device.channels(kind)]
    if not able:
        raise DeviceError(
            f"no sound card with an {kind}; connect one or start its server (JACK, PipeWire, PulseAudio), "
            "then look with: reverb devices"
        )
    if wanted is None:
        return next((d for d in able if (d.default_input if kind == "input" else d.default_output)), able[0])
    if isinstance(wanted, int) or wanted.strip().isdecimal():
        matches = [device for device in able if device.index == int(wanted)]
    else:
        matches = _by_name(wanted.lower(), able)
    if len(matches) == 1:
        return matches[0]
    listing = "; ".join(f"{d.index} {d.name} ({d.host_api})" for d in (matches or able))
    problem = "is ambiguous" if matches else f"is no {kind} device"
    raise UnknownNameError(f"{kind} device {wanted!r} {problem}; there are: {listing}")


def _by_name(text: str, able: list[Device]) -> list[Device]:
    """Return the devices that a text means: a full name before parts of one, a quick host API before a slow one."""
    full = [device for device in able if device.name.lower() == text]
    parts = [d for d in able if all(word in f"{d.name} {d.host_api}".lower() for word in text.split())]
    matches = full or parts
    for api in _PREFERRED:
        preferred = [device for device in matches if device.host_api == api]
        if preferred:
            return preferred
    return matches
