"""The search for a sound card, and the messages if there is none."""

import builtins
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from reverb.errors import DeviceError, MissingExtraError, UnknownNameError
from reverb.live import cards
from reverb.live.cards import Device, devices, find_device


def card(index: int, name: str, api: str, inputs: int = 2, outputs: int = 2, **defaults: bool) -> Device:
    return Device(index, name, api, inputs, outputs, 48_000, 0.01, 0.1, **defaults)


CARDS = [
    card(0, "Scarlett 2i2 USB", "MME"),
    card(1, "Scarlett 2i2 USB", "Windows WASAPI"),
    card(2, "Scarlett 2i2 USB", "ASIO", default_output=True),
    card(3, "Built-in Microphone", "Core Audio", outputs=0, default_input=True),
    card(4, "Built-in Output", "Core Audio", inputs=0),
    card(5, "HDMI", "ALSA", inputs=0),
    card(6, "HDMI 2", "ALSA", inputs=0),
]


@pytest.mark.parametrize(
    ("wanted", "kind", "index"),
    [
        (None, "input", 3),
        (None, "output", 2),
        (4, "output", 4),
        ("5", "output", 5),
        ("scarlett", "output", 2),
        ("scarlett mme", "input", 0),
        ("scarlett wasapi", "input", 1),
        ("built-in", "input", 3),
        ("built-in", "output", 4),
        ("hdmi", "output", 5),
    ],
)
def test_a_card_is_found_by_number_or_name(wanted: Any, kind: Any, index: int) -> None:
    assert find_device(wanted, kind, CARDS).index == index


@pytest.mark.parametrize(
    ("wanted", "kind", "message"),
    [
        ("apogee", "output", "is not an output device; choose one of: 0 Scarlett"),
        (3, "output", "is not an output device"),
        (99, "input", "is not an input device"),
        ("HDM", "output", "is ambiguous; choose one of: 5 HDMI"),
    ],
)
def test_a_card_that_cannot_be_meant_is_named(wanted: Any, kind: Any, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        find_device(wanted, kind, CARDS)


def test_no_card_at_all_is_said() -> None:
    with pytest.raises(DeviceError, match="no sound card with an input"):
        find_device(None, "input", [CARDS[4]])


@pytest.mark.parametrize(
    ("first", "second", "default"),
    [("ALSA", "JACK Audio Connection Kit", 1), ("MME", "Windows WASAPI", 1), ("ALSA", "OSS", 0)],
)
def test_the_default_is_that_of_the_better_api(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str, default: int
) -> None:
    entry = {
        "name": "card",
        "max_input_channels": 2,
        "max_output_channels": 2,
        "default_samplerate": 48_000.0,
        "default_low_output_latency": 0.003,
        "default_high_output_latency": 0.03,
    }
    entries = [{**entry, "hostapi": 0}, {**entry, "hostapi": 1}]
    apis = [
        {"name": name, "default_input_device": n, "default_output_device": n}
        for n, name in enumerate((first, second))
    ]
    sounddevice = SimpleNamespace(
        query_hostapis=lambda: apis,
        query_devices=lambda index=None: entries if index is None else entries[index],
        default=SimpleNamespace(device=(0, 0)),
    )
    monkeypatch.setattr(cards, "load_sounddevice", lambda: sounddevice)
    assert [card.index for card in devices() if card.default_input and card.default_output] == [default]


@pytest.mark.parametrize(
    ("system", "advice"),
    [("Linux", "apt install libportaudio2"), ("Darwin", "brew install"), ("Windows", "pip install")],
)
@pytest.mark.parametrize("failure", [OSError("PortAudio library not found"), ImportError("no sounddevice")])
def test_without_portaudio_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, system: str, advice: str, failure: Exception
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == "sounddevice":
            raise failure
        return real(name, *arguments, **keywords)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr("platform.system", lambda: system)
    with pytest.raises(MissingExtraError, match=advice):
        cards.load_sounddevice()
