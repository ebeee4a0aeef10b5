"""Settings of a session: each wrong one is named, with the allowed values."""

from typing import Any

import pytest

import reverb
from reverb.errors import ParameterError
from reverb.live.session import Session


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"block_size": 0}, "block_size is 0; expected a whole number from 1 to 8192 frames"),
        ({"block_size": "large"}, "block_size is 'large'"),
        ({"sample_rate": 5}, "sample_rate is 5; expected a whole number from 1000 to 768000 Hz"),
        ({"sample_rate": 44_100.5}, "sample_rate"),
        ({"latency": "none"}, "latency"),
        ({"latency": float("nan")}, "latency"),
        ({"latency": None}, "latency is None"),
        ({"input_channels": (1, 1)}, "input_channels"),
        ({"input_channels": 2}, "input_channels is 2; expected distinct channel numbers"),
        ({"output_channels": (0,)}, "output_channels"),
        ({"output_channels": ("1",)}, "output_channels"),
        ({"input_device": 1.5}, "input_device is 1.5"),
        ({"loop": "yes"}, "loop is 'yes'; expected True or False"),
        ({"record_dry": "x.wav"}, "give both"),
        ({"transition": "jump"}, "transition is 'jump'"),
        ({"gain": float("nan")}, "gain"),
        ({"gain": "loud"}, "gain is 'loud'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Session(reverb.Gain(0.0), **settings)
