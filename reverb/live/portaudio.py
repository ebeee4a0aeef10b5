"""The door to PortAudio (sounddevice): loaded on first use, its absence and its failures said in one line."""

import atexit
import contextlib
import platform
import threading
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reverb.errors import DeviceError, MissingExtraError
from reverb.live.cards import COMMON_RATES, Device, describe

Block = npt.NDArray[np.float32]
LatencyWord: TypeAlias = Literal["low", "high"]
Latency: TypeAlias = float | LatencyWord

_INSTALL = {
    "Linux": "apt install libportaudio2 (Debian, Ubuntu), dnf install portaudio (Fedora), pacman -S portaudio (Arch)",
    "Darwin": "pip install --force-reinstall sounddevice (its wheel brings it), or brew install portaudio",
    "Windows": "pip install --force-reinstall sounddevice (its wheel brings it)",
}
_CLOSING_SECONDS = 1.0


class Callback(Protocol):
    """What the sound card calls for every block."""

    def __call__(self, indata: Block | None, outdata: Block, frames: int, status: Any) -> None:
        """Fill `outdata` (frames, outputs) from `indata` (frames, inputs), None where nothing comes in."""
        ...


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """How to open the card.

    Attributes
    ----------
    input : Device or None
        None opens the output only.
    output : Device
    sample_rate : int
        In Hz.
    block_size : int
        Frames per callback; 0 is the card's own.
    inputs, outputs : int
        Channels to open.
    latency : float, 'low' or 'high'
        Seconds, or the card's own idea.
    exclusive : bool
        WASAPI only: without the system's mixer.
    """

    input: Device | None
    output: Device
    sample_rate: int
    block_size: int
    inputs: int
    outputs: int
    latency: Latency = "low"
    exclusive: bool = False


def load() -> Any:
    """Return the sounddevice module.

    Raises
    ------
    MissingExtraError
        If it, or the PortAudio library under it, is not installed; the message says how to install it here.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the module is there, the library is not
        system = platform.system()
        raise MissingExtraError(
            f"live sound needs the PortAudio library; install it with: {_INSTALL.get(system, _INSTALL['Linux'])}"
        ) from error
    return sounddevice


def rescan() -> None:
    """Look for devices afresh: PortAudio freezes its list when it is initialised. No stream may be open.

    sounddevice has no public way; where its private one is gone, the list stays as it is.
    """
    sounddevice = load()
    if all(hasattr(sounddevice, name) for name in ("_initialized", "_terminate", "_initialize")):
        while sounddevice._initialized:
            sounddevice._terminate()
        sounddevice._initialize()


class CardStream:
    """An open stream of the sound card.

    Raises
    ------
    DeviceError
        If the card cannot be opened like this; the message says what it would take.
    """

    def __init__(self, settings: StreamSettings, callback: Callback) -> None:
        sounddevice = load()
        self._abort = sounddevice.CallbackAbort
        common = {
            "samplerate": settings.sample_rate,
            "blocksize": settings.block_size,
            "latency": settings.latency,
            "dtype": "float32",
        }
        try:
            if settings.input is None:
                self._stream = sounddevice.OutputStream(
                    device=settings.output.index,
                    channels=settings.outputs,
                    extra_settings=_extra(sounddevice, settings, settings.output),
                    callback=lambda out, frames, _time, status: callback(None, out, frames, status),
                    **common,
                )
            else:
                self._stream = sounddevice.Stream(
                    device=(settings.input.index, settings.output.index),
                    channels=(settings.inputs, settings.outputs),
                    extra_settings=tuple(
                        _extra(sounddevice, settings, device) for device in (settings.input, settings.output)
                    ),
                    callback=lambda data, out, frames, _time, status: callback(data, out, frames, status),
                    **common,
                )
        except sounddevice.PortAudioError as error:
            raise DeviceError(_refused(settings, error)) from error

    @property
    def active(self) -> bool:
        """Whether callbacks are coming."""
        return bool(self._stream.active)

    @property
    def latency(self) -> float:
        """Seconds from input to output as the card states them; 0 where it does not know."""
        value = self._stream.latency
        return float(sum(value) if isinstance(value, tuple) else value)

    def start(self) -> None:
        """Let the callbacks come."""
        sounddevice = load()
        try:
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise DeviceError(f"the sound card does not start: {_reason(error)}") from error

    def close(self) -> bool:
        """Stop and close; False where the card's server is gone and PortAudio does not come back.

        In the latter case PortAudio is useless for the rest of the process, and would hang or abort it at exit;
        so it is not asked to clean up then.
        """
        thread = threading.Thread(target=self._close, name="reverb-close", daemon=True)
        thread.start()
        thread.join(_CLOSING_SECONDS)
        if thread.is_alive():
            with contextlib.suppress(AttributeError):  # it is private, and may go away
                atexit.unregister(load()._exit_handler)
            return False
        return True

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # a card that is gone has nothing to tell
            self._stream.abort()
        with contextlib.suppress(Exception):
            self._stream.close()


def _extra(sounddevice: Any, settings: StreamSettings, device: Device) -> Any:
    if not settings.exclusive or "WASAPI" not in device.host_api:
        return None
    return sounddevice.WasapiSettings(exclusive=True)


def _refused(settings: StreamSettings, error: Exception) -> str:
    """Return why a stream could not be opened, and what the card would take."""
    reason = _reason(error)
    for device, kind, channels in (
        (settings.input, "input", settings.inputs),
        (settings.output, "output", settings.outputs),
    ):
        if device is None:
            continue
        available = device.inputs if kind == "input" else device.outputs
        if channels > available:
            return f"{describe(device)} has {available} {kind} channels; {channels} were asked for"
        if "sample rate" in reason.lower():
            rates = [rate for rate in COMMON_RATES if accepts(device, kind, rate)]
            if settings.sample_rate not in rates:
                taken = ", ".join(map(str, rates)) or "none of the usual rates"
                return (
                    f"{describe(device)} refuses {settings.sample_rate} Hz; it takes {taken} (--sample-rate)"
                )
    if settings.input is not None and settings.input.host_api != settings.output.host_api:
        reason += f"; input ({settings.input.host_api}) and output ({settings.output.host_api}) must share one host API"
    return f"{describe(settings.output)} cannot be opened: {reason} (see reverb devices)"


def accepts(device: Device, kind: str, sample_rate: int) -> bool:
    """Whether a device takes a sample rate."""
    sounddevice = load()
    check = sounddevice.check_input_settings if kind == "input" else sounddevice.check_output_settings
    try:
        check(device=device.index, samplerate=sample_rate, dtype="float32")
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def _reason(error: Exception) -> str:
    text = str(error.args[0]) if error.args else str(error)
    return (
        text.removeprefix("Error opening Stream: ").removeprefix("Error opening OutputStream: ").rstrip(". ")
    )
