// The page's state (recording, room, knobs, loop), and the updates that follow each change.

import { ask, call, save, upload } from "./api.js";
import { drawDecay, drawSpectrum, drawWave } from "./draw.js";
import { listenToDrops } from "./drops.js";
import { Gallery } from "./gallery.js";
import { KNOBS, Knob } from "./knobs.js";
import { Player } from "./player.js";
import { Renders } from "./renders.js";
import { settled } from "./settled.js";
import { listenToTheme } from "./theme-button.js";
import { listenToWave } from "./wave.js";

const $ = (id) => document.getElementById(id);
const HEAR_AFTER = 40, SEE_AFTER = 250; // ms without a change

const player = new Player();
const renders = new Renders($("renders"), tell);
const gallery = new Gallery($("gallery"), { choose, remove: (room) => call(`rooms/${room.id}`, { method: "DELETE" }).catch(fail) });
const knobs = Object.fromEntries(KNOBS.map((kind) => [kind.name, new Knob($("dials"), kind, changed)]));
const recordings = new Map();

let server = null; // version, limits and rooms, as the server states them
let recording = null;
let seen = null; // pictures, as the server computed them
let region = null; // chosen for the loop, in seconds

// -- status ----------------------------------------------------------------------------------------------------

function tell(text, failed = false) {
  $("status").textContent = text;
  $("status").classList.toggle("failed", failed);
}

function fail(error) {
  if (error.name !== "AbortError") tell(error.message, true);
}

const minus = (text) => text.replace("-", "−");
const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

// -- requests -----------------------------------------------------------------------------------------------------

const settings = () => Object.fromEntries(Object.values(knobs).map((knob) => [knob.kind.name, knob.setting]));
const wanted = (more) => ({ json: { room: gallery.chosen?.id, settings: settings(), ...more } });

const hear = settled(async () => {
  if (!recording || !gallery.chosen) return;
  const asked = JSON.stringify([gallery.chosen.name, settings()]);
  const answer = await call("folded", wanted({ sample_rate: player.sampleRate, channels: player.channels }));
  await player.setResponse(await answer.arrayBuffer(), Number(answer.headers.get("x-latency")));
  document.body.dataset.sounds = asked;
  see();
}, HEAR_AFTER, fail);

const see = settled(async () => {
  if (!recording || !gallery.chosen) return;
  const mine = recording, asked = JSON.stringify([gallery.chosen.name, settings()]);
  const news = await ask("pictures", wanted({ recording: recording.id }));
  if (mine !== recording) return;
  seen = news;
  balance();
  draw();
  document.body.dataset.seen = asked;
}, SEE_AFTER, fail);

function changed() {
  describe();
  drawDecays();
  hear();
}

// -- rooms and knobs -------------------------------------------------------------------------------------------

function choose(room, changes) {
  knobs.decay.t30 = room.t30;
  knobs.decay.draw();
  describe();
  if (changes) changed();
}

function describe() {
  const room = gallery.chosen;
  if (!room) return;
  $("knobs-facts").textContent = `in ${room.description ? `${room.name}: ${room.description}` : room.name}`;
  const quoted = (text) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const format = $("format");
  const ending = format.value === "FLAC" ? ".flac" : ".wav";
  const subtype = ["", "FLAC"].includes(format.value) ? [] : ["--subtype", format.value];
  const input = recording?.name ?? "INPUT", title = room.name.replaceAll("/", "-");
  const output = recording ? `${recording.name.replace(/\.[^.]*$/, "")}-${title}${ending}` : `OUTPUT${ending}`;
  const words = ["reverb", "chain", quoted(`${title}.toml`), quoted(input), quoted(output), "--keep-level", ...subtype];
  $("command").replaceChildren(...words.flatMap((word) => [Object.assign(document.createElement("span"), { textContent: word }), " "]));
  $("beside").hidden = !room.own;
  $("beside").textContent = room.own ? `Keep ${room.ir} in the preset's folder.` : "";
}

/** Play the dry sound as loud as the wet one, if "Match loudness" is on. */
function balance() {
  const match = $("match").checked && seen && seen.before.lufs > -100 && seen.after.lufs > -100;
  player.setMatch(match ? seen.match_db : 0);
}

// -- recordings ------------------------------------------------------------------------------------------------

async function bring(file, kind) {
  const most = server.limits[kind === "rooms" ? "room" : "recording"];
  if (file.size > most) throw new Error(`${file.name}: larger than ${most / 1e6} MB, the limit of an upload`);
  tell(`Reading ${file.name} …`);
  const facts = await upload(kind, file, (share) => tell(`Reading ${file.name} … ${Math.round(100 * share)} %`));
  if (kind === "rooms") {
    gallery.add(facts).catch(fail);
    gallery.select(facts.id);
    tell(`${facts.name} was added to the rooms`);
  } else {
    await take(facts);
  }
}

/** Open an uploaded recording; one that the browser cannot open is removed again. */
async function take(facts) {
  list(facts);
  try { await open(facts.id); } catch (error) {
    await forget(recordings.get(facts.id));
    throw error;
  }
}

function list(facts) {
  recordings.set(facts.id, facts);
  $("recordings").append(new Option(facts.name, facts.id));
  $("recordings").hidden = recordings.size < 2;
}

async function open(id) {
  recording = recordings.get(id);
  $("recordings").value = id;
  seen = null;
  region = null;
  tell(`Opening ${recording.name} …`);
  const answer = await call(`recordings/${id}/audio`);
  await player.load(await answer.arrayBuffer(), recording.sample_rate);
  $("welcome").hidden = true;
  $("forget").hidden = false;
  const { seconds, channels, sample_rate: rate } = recording;
  const part = seconds > server.preview_seconds ? `, the first ${server.preview_seconds / 60} minutes are played here` : "";
  $("recording-facts").textContent = `${recording.name} · ${clock(seconds)} · ${channels === 1 ? "mono" : "stereo"} · ${rate / 1000} kHz${part}`;
  for (const name of ["play", "render", "save-response", "save-preset"]) $(name).disabled = false;
  for (const name of ["loop-from", "loop-to"]) {
    $(name).disabled = false;
    $(name).max = player.duration.toFixed(2);
  }
  showRegion();
  describe();
  draw();
  hear();
  tell(`${recording.name} is ready`);
}

async function forget(gone = recording) {
  player.stop();
  await call(`recordings/${gone.id}`, { method: "DELETE" });
  recordings.delete(gone.id);
  [...$("recordings").options].find((option) => option.value === gone.id)?.remove();
  $("recordings").hidden = recordings.size < 2;
  tell(`${gone.name} was removed`);
  if (recordings.size) return open([...recordings.keys()][0]);
  recording = seen = null;
  $("welcome").hidden = false;
  if (document.activeElement === $("forget")) $("recording-file").focus();
  $("forget").hidden = true;
  $("recording-facts").textContent = "";
  for (const name of ["play", "render", "save-response", "save-preset"]) $(name).disabled = true;
  draw();
  describe();
}

// -- playing ---------------------------------------------------------------------------------------------------

async function toggle() {
  if (player.playing) player.stop();
  else await player.play();
}

function hearWhat(what) {
  document.querySelector(`input[name=heard][value=${what}]`).checked = true;
  player.hear(what);
}

function setRegion(from, to) {
  const first = Math.max(0, Math.min(from, to)), last = Math.min(player.duration, Math.max(from, to));
  region = last - first >= 0.02 ? [first, last] : null;
  showRegion();
}

function showRegion() {
  const [first, last] = region ?? [0, player.duration];
  $("region").hidden = !$("loop").checked;
  $("loop-from").value = first.toFixed(2);
  $("loop-to").value = last.toFixed(2);
  player.setLoop($("loop").checked && player.duration ? [first, last] : null);
  draw();
}

// -- drawing ---------------------------------------------------------------------------------------------------

function draw() {
  drawWave($("wave"), seen, player.position, region);
  drawSpectrum($("spectrum"), seen);
  drawDecays();
  const loud = (one) => (one && one.lufs > -100 ? ` ${minus(one.lufs.toFixed(1))} LUFS` : "");
  const fall = (one) => (one?.t30 ? ` ${one.t30.toFixed(2)} s` : "");
  const facts = { "loud-before": loud(seen?.before), "loud-after": loud(seen?.after), "fall-before": fall(seen?.decay.as_it_is ?? gallery.chosen), "fall-after": fall(seen?.decay.as_set) };
  for (const [id, text] of Object.entries(facts)) $(id).textContent = text;
}

function drawDecays() {
  const known = seen?.decay ?? { as_it_is: gallery.chosen?.decay, as_set: null };
  drawDecay($("decay"), known.as_it_is, known.as_set, knobs.predelay_ms.value / 1000);
}

let shownDb = -60, wasPlaying = null, drawnAt = -1;

function tick() {
  const at = player.position;
  const peak = Math.max(player.peakDb(), -60);
  shownDb = Math.max(peak, shownDb - 0.7); // falls by about 40 dB per second
  const meter = $("meter");
  meter.firstElementChild.style.transform = `scaleX(${Math.min(1 + shownDb / 60, 1)})`;
  meter.classList.toggle("over", shownDb > 0);
  if (at !== drawnAt) {
    drawnAt = at;
    drawWave($("wave"), seen, at, region);
    $("clock").textContent = clock(at);
  }
  if (wasPlaying !== player.playing) {
    wasPlaying = player.playing;
    $("play").textContent = wasPlaying ? "Stop" : "Play";
  }
  requestAnimationFrame(tick);
}

/** Update the values for assistive technology, which need not change sixty times a second. */
function describeSlowly() {
  $("meter").setAttribute("aria-valuenow", Math.round(shownDb));
  $("meter").setAttribute("aria-valuetext", `${Math.round(shownDb)} dBFS`);
  const wave = $("wave");
  wave.setAttribute("aria-valuemax", player.duration.toFixed(1));
  wave.setAttribute("aria-valuenow", player.position.toFixed(1));
  wave.setAttribute("aria-valuetext", `${player.position.toFixed(1)} of ${player.duration.toFixed(1)} seconds`);
}

// -- the page --------------------------------------------------------------------------------------------------

function listenToKeys() {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && !event.target.closest("button, input, .button") && recording) toggle();
    else if ($("letters").checked && event.key === "b") hearWhat(player.heard === "dry" ? "room" : "dry");
    else if ($("letters").checked && event.key === "l") $("loop").click();
    else return;
    event.preventDefault();
  });
}

function listenToButtons() {
  const on = (id, event, work) => $(id).addEventListener(event, () => Promise.resolve(work()).catch(fail));
  const file = (id, kind) => on(id, "change", async () => {
    for (const one of $(id).files) await bring(one, kind);
    $(id).value = "";
  });
  file("recording-file", "recordings");
  file("room-file", "rooms");
  on("example", "click", async () => {
    await take(await ask("example", { method: "POST" }));
  });
  on("recordings", "change", () => open($("recordings").value));
  on("forget", "click", () => forget());
  on("play", "click", toggle);
  on("match", "change", balance);
  on("loop", "change", showRegion);
  for (const id of ["loop-from", "loop-to"]) on(id, "change", () => setRegion(Number($("loop-from").value), Number($("loop-to").value)));
  for (const radio of document.getElementsByName("heard")) radio.addEventListener("change", () => hearWhat(radio.value));
  on("reset", "click", () => { for (const knob of Object.values(knobs)) knob.set(knob.kind.usual); });
  on("format", "change", describe);
  on("render", "click", () => renders.start(wanted({ recording: recording.id, subtype: $("format").value }).json));
  on("save-response", "click", async () => tell(`${await save("response", wanted({ sample_rate: recording.sample_rate }))} was saved`));
  on("save-preset", "click", async () => tell(`${await save("preset", wanted())} was saved`));
  on("copy", "click", async () => {
    await navigator.clipboard.writeText($("command").textContent.trim());
    tell("The command was copied");
  });
}

async function start() {
  listenToTheme($("theme"), draw);
  new ResizeObserver(draw).observe($("recording"));
  listenToWave($("wave"), {
    length: () => (recording ? (seen?.seconds ?? player.duration) : 0),
    choose: (from, to) => {
      $("loop").checked = true;
      setRegion(from, to);
    },
    go: (at) => {
      if (region && (at < region[0] || at > region[1])) setRegion(0, 0);
      player.seek(at);
    },
    step: (by) => player.seek(player.position + by),
  });
  listenToDrops($("drop"), (file, kind) => bring(file, kind).catch(fail));
  listenToKeys();
  listenToButtons();
  requestAnimationFrame(tick);
  setInterval(describeSlowly, 500);
  server = await ask("state");
  $("example").hidden = !server.example;
  const usual = server.rooms.find((room) => room.ir === "hall") ?? server.rooms[0];
  const decays = server.rooms.map((room) => gallery.add(room));
  if (usual) gallery.select(usual.id);
  for (const facts of server.recordings) list(facts);
  if (recordings.size) await open([...recordings.keys()].at(-1));
  await Promise.all(decays);
}

start().catch(fail);
