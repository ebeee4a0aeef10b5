"""Every public function and class answers a wrong argument with an error of the package's own tree."""

import dataclasses
import inspect
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

import reverb
import reverb.live
from reverb.engine.routing import each
from reverb.errors import ReverbError
from reverb.live.settings import LiveSettings
from reverb.render.batch import processes
from reverb.render.batch.run_task import run_in_this_process
from tests.signals import decaying, noise

WRONG: tuple[Any, ...] = (
    None,
    math.nan,
    math.inf,
    -math.inf,
    -1,
    0,
    True,
    2.5,
    10**30,
    1j,
    "",
    "text",
    b"bytes",
    [],
    {},
    [None],
    [[1.0], [1.0, 2.0]],
    np.zeros((2, 2, 2)),
    np.zeros((2, 100)),
    np.array(["text"]),
    np.array([math.nan]),
    object(),
    int,
)
"""Each is wrong for most arguments; where one is right, the call has to work."""

ROOM = reverb.ImpulseResponse(0.1 * decaying(400, 2), 48_000)
X = noise(640, 2)
IN, OUT, EQUALIZER, CHAIN, RESPONSE = "in.wav", "out.wav", "eq.txt", "chain.toml", "room.wav"


class Door(NamedTuple):
    """A public function, arguments that are right, and a use of its result."""

    call: Callable[..., Any]
    right: Mapping[str, Any]
    use: Callable[[Any], object] = lambda _: None
    besides: tuple[str, ...] = ()  # further arguments, which its signature hides


def response_of(effect: Any) -> object:
    return effect.response(48_000)


def convolver(**arguments: Any) -> reverb.Convolver:
    return reverb.Convolver(ROOM, 64, sample_rate=48_000, **arguments)


EFFECTS: dict[str, dict[str, Any]] = {
    "Band": {"frequencies": (200.0, 2000.0), "number": 0},
    "BandPass": {"low": 500.0, "high": 2000.0},
    "BandStop": {"low": 500.0, "high": 2000.0},
    "Chain": {"effects": (reverb.Gain(-1.0), reverb.Width(0.5))},
    "Curve": {"points": ((100.0, 0.0), (1000.0, -3.0))},
    "Delay": {"seconds": 0.01},
    "Echoes": {"delay": 0.01},
    "Gain": {"db": -3.0},
    "HighCut": {"frequency": 8000.0},
    "HighPass": {"cutoff": 800.0},
    "HighShelf": {"frequency": 4000.0, "gain_db": 3.0},
    "ImpulseResponse": {"samples": X, "sample_rate": 48_000},
    "Leveled": {"effect": reverb.Gain(-3.0)},
    "LowCut": {"frequency": 80.0},
    "LowPass": {"cutoff": 8000.0},
    "LowShelf": {"frequency": 200.0, "gain_db": 3.0},
    "MidSide": {},
    "Notch": {"frequency": 1000.0},
    "Parallel": {"effects": (reverb.Gain(-1.0), reverb.Width(0.5))},
    "Peak": {"frequency": 1000.0, "gain_db": 3.0},
    "Reverb": {"impulse_response": ROOM},
    "RiaaCurve": {},
    "Tilt": {"gain_db": 3.0},
    "Weighting": {"curve": "A"},
    "Width": {"width": 0.5},
}
SETTINGS = (
    "tail",
    "gain",
    "normalize",
    "match_loudness",
    "loudness",
    "ceiling",
    "floor_db",
    "container",
    "subtype",
    "dither",
)
LIVE = tuple(field.name for field in dataclasses.fields(LiveSettings))
DOORS: dict[str, Door] = {
    **{name: Door(getattr(reverb, name), right, response_of) for name, right in EFFECTS.items()},
    "Augment": Door(reverb.Augment, {}),
    "BlockAdapter": Door(reverb.BlockAdapter, {"convolver": convolver()}),
    "BlockAdapter.process": Door(
        lambda **a: reverb.BlockAdapter(convolver()).process(**a), {"frames": X[:10], "out": None}
    ),
    "Convolver": Door(reverb.Convolver, {"impulse_response": ROOM, "block_size": 64, "sample_rate": 48_000}),
    "Convolver.process": Door(lambda **a: convolver().process(**a), {"block": X[:64], "out": None}),
    "Convolver.swap": Door(
        lambda **a: convolver().swap(**a),
        {"impulse_response": ROOM, "mode": "crossfade", "fade": 64, "curve": "equal gain"},
    ),
    **{
        f"Convolver.{level}": Door(
            lambda level=level, **a: setattr(convolver(), level, a["value"]), {"value": -3.0}
        )
        for level in ("wet_db", "dry_db", "gain_db")
    },
    "OverlapAdd": Door(reverb.OverlapAdd, {"responses": X.T, "routing": each(1)}),
    "OverlapAdd.process": Door(
        lambda **a: reverb.OverlapAdd(X.T, each(2), dtype="float64").process(**a), {"block": X, "out": None}
    ),
    "beats": Door(reverb.beats, {"count": 1.0, "bpm": 120.0}),
    "convolve": Door(reverb.convolve, {"x": X, "h": X[:100]}),
    "crossover": Door(
        lambda first, **a: reverb.crossover(first, 2000.0, **a),
        {"first": 200.0, "slope": 24, "transition": None, "attenuation": 80.0},
    ),
    "impulse": Door(reverb.impulse, {"name_or_file": RESPONSE}),
    "load_chain": Door(reverb.load_chain, {"path_or_name": CHAIN}),
    "load_equalizer": Door(reverb.load_equalizer, {"path": EQUALIZER}, response_of),
    "load_response": Door(reverb.load_response, {"path": RESPONSE}),
    "process_file": Door(
        reverb.process_file, {"source": IN, "destination": OUT, "effect": ROOM, "overwrite": True}
    ),
    "process_files": Door(
        reverb.process_files,
        {"inputs": IN, "output_dir": "out", "effects": ROOM, "overwrite": True, "workers": 1},
        besides=SETTINGS,
    ),
    "save_response": Door(reverb.save_response, {"response": ROOM, "path": "saved.wav", "overwrite": True}),
    "ImpulseResponse.response": Door(ROOM.response, {"sample_rate": 44_100}),
    "ImpulseResponse.for_channels": Door(ROOM.for_channels, {"channels": 2}),
    "ImpulseResponse.gain": Door(ROOM.gain, {"db": -3.0}),
    "ImpulseResponse.delay": Door(ROOM.delay, {"seconds": 0.01}),
    "Effect.response": Door(reverb.LowPass(1000.0).response, {"sample_rate": 44_100}),
    "live.Session": Door(reverb.live.Session, {"effect": ROOM}, besides=LIVE),
}
RESULTS = {"BatchReport", "RenderReport", "Effect"}
"""Public classes that users do not make."""


LEFT_OUT = {
    ("live.Session", "open_stream"),  # stand in for a sound card in tests
    ("live.Session", "decide_setup"),
    ("Effect.response", "causal"),  # most effects have no use for it
}


@pytest.fixture(autouse=True, scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("doors"))
        soundfile.write(IN, X, 48_000)
        reverb.save_response(ROOM, RESPONSE)
        Path(EQUALIZER).write_text("Filter 1: ON PK Fc 100 Hz Gain -3.0 dB Q 1.41\n")
        Path(CHAIN).write_text('format = 1\n[[step]]\ntype = "gain"\ngain_db = -3\n')
        # Tasks run in this process: starting others takes most of the time.
        patch.setattr(processes, "run", lambda tasks, context, _: run_in_this_process(tasks, context))
        yield


def arguments() -> Iterator[tuple[str, str]]:
    for name, door in DOORS.items():
        hidden = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
        seen = {n for n, p in inspect.signature(door.call).parameters.items() if p.kind not in hidden} - {
            "level"
        }
        for argument in sorted(seen | {*door.right} | {*door.besides}):
            if (name, argument) not in LEFT_OUT:
                yield name, argument


def use(name: str, changed: Mapping[str, Any]) -> None:
    door = DOORS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        door.use(door.call(**{**door.right, **changed}))


@pytest.mark.parametrize("name", list(DOORS))
def test_right_arguments_are_taken(name: str) -> None:
    use(name, {})


@pytest.mark.parametrize(("name", "argument"), list(arguments()))
def test_wrong_arguments_are_answered_in_words(name: str, argument: str) -> None:
    refused = 0
    for wrong in WRONG:
        if argument == "progress" and callable(wrong):
            continue  # its errors are the caller's own
        try:
            use(name, {argument: wrong})
        except ReverbError:
            refused += 1
        except Exception as error:
            pytest.fail(f"{name}({argument}={wrong!r}): {type(error).__name__}: {error}")
    assert refused, "nothing is refused"


def test_every_public_name_has_a_door() -> None:
    public = {name for name in reverb.__all__ if not name.endswith("Error")} - RESULTS
    assert public == {name for name in DOORS if "." not in name}
