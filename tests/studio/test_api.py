"""The studio's API: uploads, previews, pictures and downloads, compared with the library and the command line."""

import io
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import click.testing
import numpy as np
import pytest
import soundfile
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

import reverb
from reverb.cli.app import cli
from reverb.render.files import RenderReport, process_file
from reverb.store.response_files import load_response
from reverb.studio.api import TooLargeError, body_chunks
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import decaying, noise, tone
from tests.studio.conftest import Studio

KNOBS = {
    "mix": 0.45,
    "predelay_ms": 12,
    "decay": 0.7,
    "low_cut": 180,
    "high_cut": 7000,
    "width": 1.3,
    "level_db": -2,
}


def bring(client: TestClient, path: Path, kind: str = "recordings") -> dict[str, Any]:
    answer = client.post(f"/api/{kind}", params={"name": path.name}, content=path.read_bytes())
    assert answer.status_code == 201, answer.text
    facts: dict[str, Any] = answer.json()
    return facts


def room(client: TestClient, name: str = "room") -> str:
    return next(str(one["id"]) for one in client.get("/api/state").json()["rooms"] if one["name"] == name)


def rendered(client: TestClient, id: str) -> bytes:
    deadline = time.monotonic() + 60
    while (facts := client.get(f"/api/renders/{id}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert facts["state"] == "done", facts
    assert facts["progress"] == 1
    return client.get(f"/api/renders/{id}/file").content


@pytest.fixture
def take(make_sound: MakeSound) -> Path:
    return make_sound("take one.wav", noise(20_000, peak=0.3), 44_100, "PCM_24", title="Take")


@pytest.mark.parametrize(
    ("subtype", "own"), [("", False), ("PCM_16", True), ("FLOAT", False), ("FLAC", True)]
)
def test_a_render_equals_the_command_lines_byte_for_byte(
    studio: Studio,
    take: Path,
    make_sound: MakeSound,
    monkeypatch: pytest.MonkeyPatch,
    subtype: str,
    own: bool,
) -> None:
    client = studio()
    hall = make_sound("my hall.wav", decaying(9000, 2), 48_000, "FLOAT")
    asked = {"room": bring(client, hall, "rooms")["id"] if own else room(client), "settings": KNOBS}
    id = client.post(
        "/api/renders", json={**asked, "recording": bring(client, take)["id"], "subtype": subtype}
    ).json()["id"]
    preset = client.post("/api/preset", json=asked)
    assert preset.headers["content-disposition"] == (
        "attachment; filename*=utf-8''my%20hall.toml" if own else "attachment; filename*=utf-8''room.toml"
    )
    monkeypatch.chdir(take.parent)
    Path("mine.toml").write_bytes(preset.content)
    out = "out.flac" if subtype == "FLAC" else "out.wav"
    more = ["--subtype", subtype] if subtype in ("PCM_16", "FLOAT") else []
    result = click.testing.CliRunner().invoke(
        cli, ["chain", "mine.toml", take.name, out, "--keep-level", *more]
    )
    assert result.exit_code == 0, result.output
    assert rendered(client, id) == Path(out).read_bytes()


def test_the_folded_response_is_the_one_that_the_command_line_exports(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = studio()
    asked = {"room": room(client), "settings": KNOBS, "sample_rate": 44_100}
    monkeypatch.chdir(tmp_path)
    Path("room.toml").write_bytes(client.post("/api/preset", json=asked).content)
    Path("ours.wav").write_bytes(client.post("/api/response", json=asked).content)
    args = ["chain", "room.toml", "--export-ir", "theirs.wav", "--sample-rate", "44100"]
    assert click.testing.CliRunner().invoke(cli, args).exit_code == 0
    assert Path("ours.wav").read_bytes() == Path("theirs.wav").read_bytes()
    assert load_response("ours.wav").layout == "true-stereo"


@pytest.mark.parametrize("channels", [1, 2])
def test_the_preview_equals_the_render(studio: Studio, make_sound: MakeSound, channels: int) -> None:
    client = studio()
    take = make_sound("in.wav", noise(8000, channels, peak=0.3), 44_100, "FLOAT")
    asked = {
        "recording": bring(client, take)["id"],
        "room": room(client),
        "settings": KNOBS,
        "subtype": "FLOAT",
    }
    folded = client.post("/api/folded", json={**asked, "sample_rate": 44_100, "channels": channels})
    response, rate = soundfile.read(io.BytesIO(folded.content), always_2d=True)
    heard, _ = soundfile.read(
        io.BytesIO(client.get(f"/api/recordings/{asked['recording']}/audio").content), always_2d=True
    )
    assert rate == 44_100
    assert np.array_equal(heard, soundfile.read(take, always_2d=True)[0])
    # As in the browser's convolver: four channels are L→L, L→R, R→L, R→R, and mono feeds both sides.
    sides = heard[:, [0, 0]] if channels == 1 else heard
    paths = [np.convolve(sides[:, n // 2], response[:, n]) for n in range(4)]
    expected = np.stack([paths[0] + paths[2], paths[1] + paths[3]], axis=1)[
        int(folded.headers["x-latency"]) :
    ]
    out, _ = soundfile.read(
        io.BytesIO(rendered(client, client.post("/api/renders", json=asked).json()["id"]))
    )
    assert null_db(out, expected) < -110


def test_pictures_show_the_effect(studio: Studio, make_sound: MakeSound) -> None:
    client = studio()
    take = make_sound("tone.wav", np.tile(tone(1000, 44_100, 2, 0.5)[:, None], 2), 44_100, "FLOAT")
    asked = {"recording": bring(client, take)["id"], "room": room(client)}
    seen = client.post("/api/pictures", json={**asked, "settings": {"mix": 0, "level_db": -6.0206}}).json()
    assert seen["before"]["lufs"] == pytest.approx(-6.04, abs=0.1)  # a sine of half scale, on both sides
    assert seen["after"]["peak_db"] - seen["before"]["peak_db"] == pytest.approx(-6.02, abs=0.01)
    assert max(seen["before"]["high"]) == pytest.approx(0.5, abs=1e-3)
    nearest = int(np.argmin(np.abs(np.array(seen["hz"]) - 1000)))
    assert seen["before"]["spectrum"][nearest] == pytest.approx(-6.02, abs=0.2)
    assert seen["after"]["spectrum"][nearest] == pytest.approx(-12.04, abs=0.4)
    assert seen["match_db"] == pytest.approx(-6.02, abs=0.01)
    longer = client.post("/api/pictures", json={**asked, "settings": {"decay": 2}}).json()["decay"]
    assert longer["as_set"]["t30"] == pytest.approx(2 * longer["as_it_is"]["t30"], rel=0.1)
    card = client.get(f"/api/rooms/{asked['room']}/decay").json()
    assert card == longer["as_it_is"]


def test_loudness_matching_of_a_mono_recording_counts_both_loudspeakers(
    studio: Studio, make_sound: MakeSound
) -> None:
    client = studio()
    take = make_sound("tone.wav", tone(1000, 44_100, 1, 0.5), 44_100, "FLOAT")
    asked = {"recording": bring(client, take)["id"], "room": room(client), "settings": {"mix": 0}}
    seen = client.post("/api/pictures", json=asked).json()
    # Without a room each side gets -3 dB; the browser plays the dry sound at 0 dB from both.
    assert seen["match_db"] == pytest.approx(-3.01, abs=0.01)


def test_fifty_renders_at_once_are_queued_and_all_done(
    studio: Studio, make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = threading.Event()

    def process_later(*args: Any, **settings: Any) -> RenderReport:
        assert begin.wait(60)
        return process_file(*args, **settings)

    monkeypatch.setattr("reverb.studio.api.process_file", process_later)
    client = studio()
    take = bring(client, make_sound("in.wav", noise(3000, peak=0.3), 48_000, "PCM_16"))["id"]
    asked = [{"recording": take, "room": room(client), "settings": {"mix": n / 49}} for n in range(50)]
    facts = [client.post("/api/renders", json=one).json() for one in asked]
    assert {one["state"] for one in facts[2:]} == {"queued"}
    assert facts[-1]["before"] in (47, 48, 49)  # all but the two that run, or are just to begin
    begin.set()
    out = [rendered(client, one["id"]) for one in facts]
    lengths = [soundfile.info(io.BytesIO(file)).frames for file in out]
    assert lengths[0] == 3000  # dry
    assert min(lengths[1:]) > 30_000
    assert len(set(out)) == 50


def test_a_cancelled_render_leaves_no_file(studio: Studio, make_sound: MakeSound) -> None:
    client = studio()
    take = bring(client, make_sound("long.wav", np.zeros((44_100 * 60, 2), np.int16), 44_100))["id"]
    asked = {"recording": take, "room": room(client, "church")}
    ids = [client.post("/api/renders", json=asked).json()["id"] for _ in range(4)]
    for id in ids:
        assert client.delete(f"/api/renders/{id}").status_code == 204
    deadline = time.monotonic() + 60
    while any(
        (facts := client.get(f"/api/renders/{id}").json())["state"] in ("queued", "running") for id in ids
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert facts["state"] == "cancelled"
    assert client.get(f"/api/renders/{ids[-1]}/file").status_code == 404


def test_uploads_are_removed_on_request_and_at_the_end(
    make_sound: MakeSound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, studio: Studio
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    client = studio()
    first, second = (bring(client, make_sound(f"{n}.wav", noise(100)))["id"] for n in "ab")
    (place,) = folder.iterdir()
    assert len(list(place.iterdir())) == 2
    assert client.delete(f"/api/recordings/{first}").status_code == 204
    assert len(list(place.iterdir())) == 1
    assert client.get(f"/api/recordings/{first}/audio").status_code == 404
    assert client.get(f"/api/recordings/{second}/audio").status_code == 200
    assert client.delete(f"/api/rooms/{room(client)}").status_code == 204  # the library stays
    assert room(client)
    client.__exit__(None, None, None)
    client.__enter__()
    assert list(folder.iterdir()) == []


def test_uploads_are_bounded_in_size_and_number(studio: Studio, make_sound: MakeSound) -> None:
    client = studio(recording_bytes=5000, recordings=2, responses=1, response_bytes=5000)
    small, large = make_sound("small.wav", noise(500, 1)), make_sound("large.wav", noise(5000))
    refused = client.post("/api/recordings", params={"name": "large.wav"}, content=large.read_bytes())
    assert refused.status_code == 413
    assert refused.json()["error"] == "large.wav: larger than 0.005 MB, the limit of an upload"
    for kind, most in (("recordings", 2), ("rooms", 1)):
        for _ in range(most):
            bring(client, small, kind)
        refused = client.post(f"/api/{kind}", params={"name": "small.wav"}, content=small.read_bytes())
        assert (refused.status_code, refused.json()["error"]) == (
            400, "the limit of uploads is reached; remove one first",
        )  # fmt: skip


def test_an_invalid_upload_is_refused_by_its_name(studio: Studio, make_sound: MakeSound) -> None:
    client = studio()
    surround = make_sound("surround.wav", noise(100, 6))
    silent = make_sound("silent.wav", np.zeros(100))
    cases = [
        ("recordings", "song.wav", b"no sound at all", "song.wav: not a readable audio file"),
        ("recordings", "song.wav", b"", "song.wav: not a readable audio file"),
        ("recordings", "song.exe", b"MZ", "song.exe: no audio file; expected .wav"),
        ("recordings", "surround.wav", surround.read_bytes(), "surround.wav: has 6 channels"),
        ("rooms", "silent.wav", silent.read_bytes(), "silent.wav: is silent"),
        ("rooms", "surround.wav", surround.read_bytes(), "surround.wav has 6 channels; expected 1 (mono)"),
    ]
    for kind, name, content, says in cases:
        answer = client.post(f"/api/{kind}", params={"name": name}, content=content)
        assert answer.status_code == 400, name
        assert answer.json()["error"].startswith(says)
        assert "/" not in answer.json()["error"].replace("N/A", "")
    assert client.get("/api/state").json()["recordings"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("folded", b"[]", 400, "no JSON object"),
        ("folded", b"[" * 50_000, 400, "no JSON object"),
        ("folded", b" " * 70_000, 413, "larger than 0.064 MB"),
        ("folded", {"sample_rate": 48_000, "channels": 2}, 404, "no such impulse response"),
        ("folded", {"room": ["x"], "sample_rate": 1, "channels": 1}, 404, "no such impulse response"),
        ("folded", {"room": "r0", "sample_rate": 1e9, "channels": 2}, 400, "sample_rate is 1e+09 Hz; expected"),
        ("folded", {"room": "r0", "sample_rate": 48_000, "channels": 9}, 400, "channels is 9; expected"),
        ("folded", {"room": "r0", "sample_rate": 48_000, "channels": 2, "settings": {"mix": 2}}, 400, "mix is 2; exp"),
        ("pictures", {"room": "r0", "recording": "../x"}, 404, "no such recording"),
        ("renders", {"room": "r0", "recording": None}, 404, "no such recording"),
        ("preset", {"room": "r0", "settings": {"width": 9}}, 400, "width is 9; expected a number from 0 to 4"),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_with_a_reason(
    studio: Studio, path: str, body: Any, status: int, says: str
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = studio().post(f"/api/{path}", content=content)
    assert (answer.status_code, says in answer.json()["error"]) == (status, True), answer.text


def test_a_failed_render_has_its_reason(studio: Studio, make_sound: MakeSound) -> None:
    client = studio()
    broken = noise(3000)
    broken[1500] = np.nan
    take = bring(client, make_sound("take.wav", broken, subtype="FLOAT"))["id"]
    id = client.post("/api/renders", json={"recording": take, "room": room(client)}).json()["id"]
    while (facts := client.get(f"/api/renders/{id}").json())["state"] in ("queued", "running"):
        time.sleep(0.02)
    assert facts["state"] == "failed"
    assert facts["error"].startswith("take.wav: NaN or infinity at frame 1500")


def test_the_example_is_there_in_the_source_tree(studio: Studio) -> None:
    client = studio()
    assert client.get("/api/state").json()["example"] is True
    assert client.post("/api/example").json()["name"] == "guitar.flac"


def test_rooms_have_the_facts_that_cards_show(studio: Studio) -> None:
    rooms = studio().get("/api/state").json()["rooms"]
    hall = next(one for one in rooms if one["name"] == "hall")
    assert hall["t30"] == pytest.approx(2.1, abs=0.1)
    assert (hall["layout"], hall["own"]) == ("stereo", False)
    assert {one["name"] for one in rooms} >= set(reverb.impulse("hall").name.split())


def test_a_body_of_undeclared_size_is_read_up_to_the_limit() -> None:
    received = []

    async def receive() -> Message:
        received.append(1000)
        return {"type": "http.request", "body": bytes(1000), "more_body": len(received) < 20}

    async def read() -> None:
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        async for _ in body_chunks(request, 5000, "large.wav"):
            pass

    with pytest.raises(TooLargeError, match=r"large\.wav: larger than 0\.005 MB"):
        anyio.run(read)
    assert len(received) == 6
