"""The sound cards of this machine: PortAudio, its devices, and the search for one by number or name."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any, Literal

from reverb.checks import whole
from reverb.errors import DeviceError, MissingExtraError, UnknownNameError

Kind = Literal["input", "output"]

MAX_INDEX = 1 << 16
_USUAL_RATES = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 32_000, 22_050, 16_000, 8_000)

_INSTALL = {
    "Linux": "apt install libportaudio2 (Debian, Ubuntu), dnf install portaudio (Fedora), pacman -S portaudio (Arch)",
    "Darwin": "pip install --force-reinstall sounddevice (its wheel contains it), or brew install portaudio",
    "Windows": "pip install --force-reinstall sounddevice (its wheel contains it)",
}

# Of the host APIs under which a card is listed, the first of these has the lowest latency.
_FASTEST_FIRST = (
    "ASIO",
    "Windows WASAPI",
    "Core Audio",
    "JACK Audio Connection Kit",
    "ALSA",
    "Windows DirectSound",
)

# MME is slow; where a JACK server runs, ALSA's default device is either busy or a detour to that server.
_BETTER_API = {"MME": "Windows WASAPI", "ALSA": "JACK Audio Connection Kit"}


@dataclass(frozen=True)
class Device:
    """A sound card, as PortAudio describes it.

    Attributes
    ----------
    index : int
        The number for ``--input-device`` and ``--output-device``.
    name, host_api : str
    inputs, outputs : int
        Channels.
    sample_rate : int
        The device's default, in Hz.
    low_latency, high_latency : float
        Default latencies in seconds: of the output, or of the input if there is no output.
    default_input, default_output : bool
        Whether the device is used if none is named.
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
        """Return the number of input or output channels."""
        return self.inputs if kind == "input" else self.outputs


def describe(device: Device) -> str:
    """Return a device's number, name and host API, for a message."""
    return f"device {device.index} ({device.name!r}, {device.host_api})"


def load_sounddevice() -> Any:
    """Return the sounddevice module.

    Raises
    ------
    MissingExtraError
        If sounddevice or the PortAudio library is not installed; the message contains the command that installs it.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the module is installed, the library is not
        advice = _INSTALL.get(platform.system(), _INSTALL["Linux"])
        raise MissingExtraError(
            f"live sound needs the PortAudio library; install it with: {advice}"
        ) from error
    return sounddevice


def rescan() -> None:
    """Read the list of devices again, which PortAudio does at its start only. No stream may be open.

    sounddevice has no public function for this; if its private ones are missing, the list stays as it is.
    """
    sounddevice = load_sounddevice()
    if all(hasattr(sounddevice, name) for name in ("_initialized", "_terminate", "_initialize")):
        while sounddevice._initialized:
            sounddevice._terminate()
        sounddevice._initialize()


def devices() -> list[Device]:
    """Return the sound cards of this machine.

    Raises
    ------
    MissingExtraError
        If PortAudio is not installed.
    """
    sounddevice = load_sounddevice()
    apis = sounddevice.query_hostapis()
    defaults = {kind: _default_index(sounddevice, apis, kind) for kind in ("input", "output")}
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
            default_input=index == defaults["input"],
            default_output=index == defaults["output"],
        )
        for index, entry in enumerate(sounddevice.query_devices())
    ]


def supported_rates(device: Device, kind: Kind) -> list[int]:
    """Return the usual sample rates, in Hz, that a device supports as an input or as an output."""
    sounddevice = load_sounddevice()
    check = sounddevice.check_input_settings if kind == "input" else sounddevice.check_output_settings
    rates = []
    for rate in _USUAL_RATES:
        try:
            check(device=device.index, samplerate=rate, dtype="float32")
        except (sounddevice.PortAudioError, ValueError):
            continue
        rates.append(rate)
    return rates


def _latency_side(entry: Any) -> str:
    return "output" if entry["max_output_channels"] else "input"


def _default_index(sounddevice: Any, apis: Any, kind: str) -> int:
    """Return the number of the default device, of PortAudio or of a better host API; −1 if there is none."""
    index = int(sounddevice.default.device[0 if kind == "input" else 1])
    if index < 0:
        candidates = [int(api[f"default_{kind}_device"]) for api in apis]
        index = next((candidate for candidate in candidates if candidate >= 0), -1)
    if index >= 0:
        name = _BETTER_API.get(apis[sounddevice.query_devices(index)["hostapi"]]["name"])
        better = [int(api[f"default_{kind}_device"]) for api in apis if api["name"] == name]
        index = next((candidate for candidate in better if candidate >= 0), index)
    return index


def find_device(wanted: int | str | None, kind: Kind, among: list[Device] | None = None) -> Device:
    """Return a device by its number or a part of its name.

    Parameters
    ----------
    wanted : int, str or None
        A number, words that occur in the name or the host API (``"scarlett asio"``), or None for the default.
    kind : {'input', 'output'}
        Only devices with such channels are considered.
    among : list of Device, optional
        By default those of `devices`.

    Raises
    ------
    ParameterError
        If it is neither.
    UnknownNameError
        If no device matches, or more than one.
    DeviceError
        If no sound card has such channels.
    """
    if wanted is not None and not isinstance(wanted, str):
        wanted = whole(f"{kind} device", wanted, 0, MAX_INDEX)
    known = devices() if among is None else among
    able = [device for device in known if device.channels(kind)]
    if not able:
        raise DeviceError(
            f"no sound card with an {kind}; connect one or start its server (JACK, PipeWire, PulseAudio), "
            "then check with: reverb devices"
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
    problem = "is ambiguous" if matches else f"is not an {kind} device"
    raise UnknownNameError(f"{kind} device {wanted!r} {problem}; choose one of: {listing}")


def _by_name(text: str, able: list[Device]) -> list[Device]:
    """Return the devices whose name matches, in full rather than in part, under the fastest host API."""
    full = [device for device in able if device.name.lower() == text]
    parts = [d for d in able if all(word in f"{d.name} {d.host_api}".lower() for word in text.split())]
    matches = full or parts
    for api in _FASTEST_FIRST:
        fastest = [device for device in matches if device.host_api == api]
        if fastest:
            return fastest
    return matches
