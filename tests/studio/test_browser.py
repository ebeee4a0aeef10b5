"""The page in a real browser: a recording is dropped, played, rendered as by the command line, and saved.

Also its accessibility: names and announcements for screen readers, and use without a mouse.
"""

import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.conftest import ROOT, MakeSound
from tests.nulls import null_db
from tests.signals import decaying, noise, tone

pytest.importorskip("starlette", reason="needs Starlette (extra studio)")
pytest.importorskip("uvicorn", reason="needs uvicorn (extra studio)")
pytest.importorskip("selenium", reason="needs selenium")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Chromium and its driver (Debian: chromium, chromium-driver)"
)
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --autoplay-policy=no-user-gesture-required"
)
PATIENCE = 60.0
DROP = """
const [name, data] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([bytes], name));
const options = { bubbles: true, cancelable: true, dataTransfer };
for (const type of ["dragenter", "dragover", "drop"])
  document.getElementById("stage").dispatchEvent(new DragEvent(type, options));
"""
# The page's audio graph, rendered without a sound card.
HEAR = """
const [recording, wanted, done] = arguments;
(async () => {
  const sound = await (await fetch(`/api/recordings/${recording}/audio`)).arrayBuffer();
  const answer = await fetch("/api/folded", { method: "POST", body: JSON.stringify(wanted) });
  const context = new OfflineAudioContext(2, 30000, wanted.sample_rate);
  const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(sound) });
  const buffer = await context.decodeAudioData(await answer.arrayBuffer());
  source.connect(new ConvolverNode(context, { buffer, disableNormalization: true })).connect(context.destination);
  source.start();
  const out = await context.startRendering();
  const channels = [0, 1].map((n) => Array.from(out.getChannelData(n)));
  done({ latency: Number(answer.headers.get("x-latency")), channels });
})().catch((error) => done({ error: String(error) }));
"""
# The page's player with a sine, rendered without a sound card; it pauses at each change of response.
CHANGES = """
const [sine, loud, soft, done] = arguments;
(async () => {
  const bytes = (data) => Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)).buffer;
  const { Player } = await import("/page/player.js");
  const context = new OfflineAudioContext(2, 48000, 48000);
  const player = new Player(() => context);
  await player.load(bytes(sine), 48000);
  const changes = [
    async () => { await player.setResponse(bytes(loud), 0); player.play(); },
    () => player.setResponse(bytes(soft), 0),
    () => player.setResponse(bytes(loud), 0),
    () => player.setResponse(bytes(soft), 0),
    () => player.hear("dry"),
    () => player.setMatch(-6),
    () => player.hear("room"),
  ];
  const failed = [];
  changes.forEach(async (change, n) => {
    await context.suspend(0.1 * n);
    try { await change(); } catch (error) { failed.push(error); }
    context.resume();
  });
  const out = (await context.startRendering()).getChannelData(0).subarray(7200);
  if (failed.length) throw failed[0];
  let bend = 0, peak = 0;
  for (let i = 2; i < out.length; i += 1) {
    bend = Math.max(bend, Math.abs(out[i] - 2 * out[i - 1] + out[i - 2]));
    peak = Math.max(peak, out[i]);
  }
  done([bend, peak]);
})().catch((error) => done(String(error)));
"""
# A loop of the player: its repeated samples, and two and a half rounds of its dry sound.
LOOP = """
const [sound, from, to, done] = arguments;
(async () => {
  const { Player } = await import("/page/player.js");
  const { looped } = await import("/page/seam.js");
  const context = new OfflineAudioContext(2, Math.round(2.5 * (to - from) * 48000), 48000);
  const player = new Player(() => context);
  const bytes = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0)).buffer;
  await player.load(bytes.slice(0), 48000);
  player.hear("dry");
  player.setLoop([from, to]);
  player.play();
  const heard = await context.startRendering();
  const repeats = looped(await context.decodeAudioData(bytes), from, to);
  done([repeats, heard].map((one) => Array.from(one.getChannelData(0))));
})().catch((error) => done(String(error)));
"""


def command(*args: str, cwd: Path, **more: Any) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "reverb", *args], cwd=cwd, env=environment, text=True, **more
    )


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    server = command("studio", "--no-browser", "--port", "0", cwd=tmp_path, stdout=subprocess.PIPE)
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", server.stdout.readline())
    assert found is not None
    yield found[0]
    server.send_signal(signal.SIGINT)
    said, _ = server.communicate(timeout=30)
    assert said.endswith("the studio is closed; its uploads are removed\n")
    assert server.returncode == 0


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option(
        "prefs",
        {
            "download.default_directory": str(tmp_path / "saved"),
            "profile.default_content_setting_values.automatic_downloads": 1,
        },
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def wave_of(samples: npt.ArrayLike) -> str:
    file = io.BytesIO()
    soundfile.write(file, np.asarray(samples, np.float32), 48_000, "FLOAT", format="WAV")
    return base64.b64encode(file.getvalue()).decode()


def wait(what: str, ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := ready()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def saved(folder: Path, name: str) -> Path:
    path: Path = wait(name, lambda: (folder / "saved" / name).is_file() and folder / "saved" / name)
    return path


def bent(sound: npt.NDArray[Any]) -> float:
    """Return the largest second difference relative to the peak."""
    return float(np.abs(np.diff(sound, 2)).max() / np.abs(sound).max())


class Page:
    """The actions of a user on the page, and the texts that it shows."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def at(self, id: str) -> Any:
        return self.driver.find_element(By.ID, id)

    def turn(self, knob: str, *keys: str) -> None:
        self.at(f"knob-{knob}").send_keys(*keys)

    def data(self, name: str) -> Any:
        text = self.driver.execute_script(f"return document.body.dataset.{name} ?? 'null'")
        return json.loads(text)

    def peak_db(self) -> float:
        self.driver.execute_script("document.getElementById('meter').removeAttribute('aria-valuenow')")
        found = wait("the meter", lambda: self.at("meter").get_attribute("aria-valuenow"))
        return float(found)

    def fits(self, width: int) -> bool:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return bool(
            self.driver.execute_script(
                "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        )


def test_from_the_drop_to_the_saved_render(
    address: str, browser: webdriver.Chrome, tmp_path: Path, make_sound: MakeSound
) -> None:
    page = Page(browser)
    take = make_sound("my take.wav", noise(20_000, peak=0.3), 44_100, "PCM_24")
    hall = make_sound("my hall.wav", decaying(9000, 2), 44_100, "FLOAT")
    browser.get(address)
    wait("the rooms", lambda: len(browser.find_elements(By.CSS_SELECTOR, ".room")) > 5)
    assert "token" not in browser.current_url

    # A recording is dropped, and a room of one's own is brought by the button.
    browser.execute_script(DROP, take.name, base64.b64encode(take.read_bytes()).decode())
    wait("the recording", lambda: page.at("play").is_enabled())
    page.at("room-file").send_keys(str(hall))
    wait("the room", lambda: (page.data("seen") or [""])[0] == "my hall")

    # Knobs are turned by the keyboard, heard and seen.
    page.turn("mix", Keys.PAGE_UP, Keys.PAGE_UP)
    page.turn("low_cut", *[Keys.PAGE_UP] * 4)
    page.turn("width", *[Keys.ARROW_UP] * 5)
    page.turn("level_db", Keys.PAGE_DOWN)
    assert page.at("knob-mix").get_attribute("aria-valuetext") == "50 %"
    wait("the last knob", lambda: (page.data("sounds") or [0, {}])[1].get("level_db") == -3.6)
    wait("the pictures", lambda: page.data("seen") == page.data("sounds"))
    name, settings = page.data("sounds")
    assert (name, settings["mix"], settings["low_cut"]) == ("my hall", 0.5, 130)

    # It sounds, through the room and dry, and stops.
    page.at("loop").click()
    page.at("play").click()
    assert wait("sound", lambda: page.peak_db() > -40)
    browser.find_element(By.CSS_SELECTOR, "input[value=dry]").send_keys(Keys.SPACE)
    assert wait("dry sound", lambda: page.peak_db() > -40)
    page.at("play").click()
    assert wait("silence", lambda: page.peak_db() <= -60)

    # The render is saved, and is the command line's.
    page.at("render").click()
    render = saved(tmp_path, "my take-my hall.wav")
    page.at("save-preset").click()
    preset = saved(tmp_path, "my hall.toml")
    words = page.at("command").text
    assert words == "reverb chain 'my hall.toml' 'my take.wav' 'my take-my hall.wav' --keep-level"
    preset.rename(tmp_path / preset.name)
    args = ("chain", preset.name, take.name, "by hand.wav", "--keep-level", "--quiet")
    assert command(*args, cwd=tmp_path).wait(60) == 0
    assert render.read_bytes() == (tmp_path / "by hand.wav").read_bytes()

    # The browser's convolver gave the same sound as our engine.
    facts = browser.execute_async_script("fetch('/api/state').then((a) => a.json()).then(arguments[0])")
    id = facts["recordings"][0]["id"]
    room = next(one["id"] for one in facts["rooms"] if one["own"])
    wanted = {"room": room, "settings": settings, "sample_rate": 44_100, "channels": 2}
    heard = browser.execute_async_script(HEAR, id, wanted)
    sound = np.array(heard["channels"]).T[heard["latency"] :]
    ours, _ = soundfile.read(io.BytesIO(render.read_bytes()))
    shared = min(len(sound), len(ours))
    assert shared > 25_000
    assert null_db(sound[:shared], ours[:shared]) < -100

    # It fits a desktop and a phone, and the browser logged no error.
    assert page.fits(1280)
    assert page.fits(390)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]

    # Changes of response do not click: a step of the sine would bend it by a third of its peak.
    waves: list[npt.ArrayLike] = [tone(100, 48_000, 4), [[1, 1], [0, 0]], [[0.0, 0.0], [-0.3, -0.3]]]
    sine, loud, soft = map(wave_of, waves)
    bend, peak = browser.execute_async_script(CHANGES, sine, loud, soft)
    assert peak > 0.4
    assert bend < 0.005

    # Nor does the seam of a loop; elsewhere a loop equals the recording.
    sound = tone(100, 48_000, 1)
    assert bent(np.roll(sound[4800:7320], 100)) > 0.5  # as it would be without a fade
    for first, last in ((4800, 7320), (0, 2520)):
        repeats, heard = (
            np.array(x)
            for x in browser.execute_async_script(LOOP, wave_of(sound), first / 48_000, last / 48_000)
        )
        turn = (np.arange(480) + 0.5) / 480 * np.pi / 2
        before = sound[first - 480 : first] if first else np.zeros(480)
        assert len(repeats) == last - first
        assert np.abs(repeats[96:-480] - sound[first + 96 : last - 480]).max() < 1e-6
        seam = np.cos(turn) * sound[last - 480 : last] + np.sin(turn) * before
        assert np.abs(repeats[-480:] - seam).max() < 1e-6
        assert bent(np.roll(repeats, 1000)) < 0.03
        assert np.abs(heard[-1000:] - np.resize(repeats, len(heard))[-1000:]).max() < 1e-3


CONTROLS = ("button", "checkbox", "combobox", "link", "meter", "progressbar", "radio", "slider", "spinbutton")
# Where Tab leads: to the loop, its ends, the knobs, and on.
BEFORE = ["Skip to the knobs", "theme", "forget", "recording-file", "wave", "play", "heard", "match", "loop"]
BETWEEN = ["loop-from", "loop-to", "reset"]
AFTER = [
    "room-file",
    "room",
    "format",
    "render",
    "Save again",
    "save-response",
    "save-preset",
    "copy",
    "letters",
]
VALUED = ("meter", "progressbar", "slider", "spinbutton")


def accessible(driver: webdriver.Chrome) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return role, name and properties of everything that assistive technology presents."""
    driver.execute_cdp_cmd("Accessibility.enable", {})
    for node in driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]:
        if not node["ignored"]:
            said = {one["name"]: one["value"].get("value") for one in node["properties"]}
            if "value" in node:
                said["value"] = node["value"].get("value")
            yield node["role"]["value"], node.get("name", {}).get("value", ""), said


def reached(driver: webdriver.Chrome) -> list[str]:
    """Return the elements that Tab visits, from the first link to the end; those without an outline are marked."""
    name = """
        const at = document.activeElement, label = at.labels?.[0];
        const shown = [at, label, at.closest(".room")].filter(Boolean).map((one) => getComputedStyle(one));
        const seen = shown.some((style) => style.outlineStyle === "solid") ? "" : " (not seen)";
        return at === document.body ? "" : (at.id || at.name || at.textContent.trim()) + seen;
    """
    found: list[str] = []
    driver.execute_script("document.querySelector('a').focus()")
    while (at := driver.execute_script(name)) and len(found) < 60:
        found.append(at)
        webdriver.ActionChains(driver).send_keys(Keys.TAB).perform()
    return found


def test_everything_is_named_announced_and_usable_with_the_keyboard_only(
    address: str, browser: webdriver.Chrome, tmp_path: Path, make_sound: MakeSound
) -> None:
    page = Page(browser)
    take = make_sound("take.wav", noise(20_000, peak=0.3), 44_100, "PCM_24")
    browser.get(address)
    wait("the rooms", lambda: len(browser.find_elements(By.CSS_SELECTOR, ".room")) > 5)
    browser.execute_script(
        "window.told = [];"
        "new MutationObserver(() => told.push(document.getElementById('status').textContent))"
        ".observe(document.getElementById('status'), { childList: true })"
    )
    page.at("recording-file").send_keys(str(take))
    wait("the pictures", lambda: page.data("seen"))

    # By keys on elements that Tab reaches: type a region, choose a room, turn a knob, save a render.
    page.at("loop").send_keys(Keys.SPACE)
    page.at("loop-from").send_keys(Keys.CONTROL, "a", Keys.NULL, "0.1", Keys.TAB)
    page.at("wave").send_keys(Keys.END, Keys.ARROW_DOWN)
    browser.find_element(By.CSS_SELECTOR, "input[name=room]:checked").send_keys(Keys.ARROW_RIGHT)
    page.turn("decay", Keys.PAGE_DOWN)
    wait(
        "the pictures",
        lambda: page.data("sounds")[1]["decay"] < 1 and page.data("seen") == page.data("sounds"),
    )
    page.at("render").send_keys(Keys.ENTER)
    saved(tmp_path, f"take-{page.data('seen')[0]}.wav")
    assert page.data("seen")[0] == "hall-true-stereo"

    things = list(accessible(browser))
    controls = [thing for thing in things if thing[0] in CONTROLS]
    assert len(controls) > 35
    assert [role for role, name, _ in controls if not name.strip()] == []
    assert [name for role, name, said in controls if role in VALUED and said.get("value") in (None, "")] == []
    assert [
        name for role, name, said in controls if role in ("checkbox", "radio") and "checked" not in said
    ] == []
    assert {name for role, name, _ in controls if role == "spinbutton"} == {
        "Loop from, in s",
        "Loop to, in s",
    }
    knobs = {knob.get_attribute("aria-valuetext") for knob in browser.find_elements(By.CLASS_NAME, "knob")}
    assert {"30 %", "0 ms", "off", "100 %", "0.0 dB"} < knobs
    # Pictures are described, and only the status line is announced.
    assert all("description" in said or name for role, name, said in things if role in ("image", "canvas"))
    assert [(role, name) for role, name, said in things if said.get("live") not in (None, "off")] == [
        ("status", "")
    ]

    stops = reached(browser)
    assert [stop for stop in stops if stop.endswith("(not seen)")] == []
    dials = [f"knob-{name}" for name in page.data("sounds")[1]]
    assert stops == [*BEFORE, *BETWEEN, *dials, *AFTER]

    # Removing the focused element moves the focus to the next useful one.
    page.at("forget").send_keys(Keys.ENTER)
    wait("the empty page", lambda: page.at("welcome").is_displayed())
    assert browser.switch_to.active_element.get_attribute("id") == "recording-file"

    # Progress and errors were announced.
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound at all")
    page.at("recording-file").send_keys(str(broken))
    told = wait(
        "the failure", lambda: [line for line in browser.execute_script("return told") if "readable" in line]
    )
    assert told[0].startswith("broken.wav: not a readable audio file")
    said = browser.execute_script("return told")
    for news in (
        "take.wav is ready",
        "Rendering take-hall-true-stereo.wav",
        "take-hall-true-stereo.wav was rendered",
    ):
        assert news in said
