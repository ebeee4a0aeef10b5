// Play a recording dry, or with the folded response in the browser's own convolver.
//
//   source ─┬─ delay (the response's latency) ─ match ─ dry ─┐
//           └─ gate ─ convolver ─ voice ─────────────── room ─┴─ out ─ analyser ─ loudspeakers
//
// A new response gets a convolver of its own: the input crossfades from the old gate to the new one, and the old room rings
// out. So nothing clicks, and no tail is cut while knobs move, unless more than a few ring at once.

import { looped } from "./seam.js";

const FADE = 0.03;
const AHEAD = 0.01; // seconds from now at which a fade begins
const MOST_VOICES = 4;

export class Player {
  #context = null;
  #buffer = null;
  #source = null;
  #voices = [];
  #began = 0; // the context's time at which #from was played
  #from = 0;
  #tail = 0;

  playing = false;
  loop = null; // [from, to] in seconds
  heard = "room";
  matchDb = 0;

  /** @param open creates an audio context; a test passes one that renders without a sound card */
  constructor(open = (options) => new AudioContext(options)) {
    this.open = open;
  }

  get sampleRate() { return this.#context?.sampleRate ?? 0; }
  get duration() { return this.#buffer?.duration ?? 0; }
  get channels() { return this.#buffer?.numberOfChannels ?? 0; }

  /** Load a recording; the context runs at its rate if the browser can, so that nothing is resampled. */
  async load(bytes, sampleRate) {
    this.stop();
    if (this.#context?.sampleRate !== sampleRate) {
      await this.#context?.close();
      this.#voices = [];
      try { this.#context = this.open({ sampleRate, latencyHint: "interactive" }); }
      catch { this.#context = this.open({}); }
      this.#build();
    }
    this.#drop();
    this.#buffer = await this.#context.decodeAudioData(bytes);
    this.#from = 0;
  }

  #build() {
    const context = this.#context;
    this.input = context.createGain();
    this.delay = context.createDelay(1);
    this.match = context.createGain();
    this.dry = context.createGain();
    this.room = context.createGain();
    this.analyser = new AnalyserNode(context, { fftSize: 2048 });
    this.input.connect(this.delay).connect(this.match).connect(this.dry).connect(this.analyser);
    this.room.connect(this.analyser);
    this.analyser.connect(context.destination);
    this.#balance(0);
  }

  #drop() {
    for (const voice of this.#voices.splice(0)) voice.end(0);
  }

  /** Change the response while the sound plays on. */
  async setResponse(bytes, latency) {
    const context = this.#context;
    const buffer = await context.decodeAudioData(bytes);
    if (context !== this.#context) return; // another recording was loaded in the meantime
    this.#tail = buffer.duration;
    this.delay.delayTime.setTargetAtTime(latency / context.sampleRate, context.currentTime, FADE / 3);
    const voice = new Voice(context, buffer, this.input, this.room);
    this.#voices.at(-1)?.leave();
    this.#voices.push(voice);
    while (this.#voices.length > MOST_VOICES) this.#voices.shift().end(FADE);
    this.#voices = this.#voices.filter((one) => !one.silent);
  }

  async play() {
    if (!this.#buffer) return;
    this.#start(this.#from);
    await this.#context.resume();
  }

  #start(wanted) {
    this.#halt();
    const context = this.#context;
    const [first, last] = this.loop ?? [0, this.duration];
    const from = Math.min(Math.max(wanted, first), last);
    const buffer = this.loop ? looped(this.#buffer, first, last) : this.#buffer;
    const source = new AudioBufferSourceNode(context, { buffer, loop: this.loop !== null });
    source.gate = new GainNode(context, { gain: 0 });
    source.connect(source.gate).connect(this.input);
    source.gate.gain.setTargetAtTime(1, context.currentTime, 0.002);
    source.start(0, from - first);
    this.#source = source;
    this.#from = from;
    this.#began = context.currentTime;
    this.playing = true;
  }

  #halt() {
    const source = this.#source;
    if (!source) return;
    const now = this.#context.currentTime;
    source.gate.gain.cancelScheduledValues(now);
    source.gate.gain.setTargetAtTime(0, now, 0.004);
    source.stop(now + 0.03);
    this.#source = null;
  }

  /** Stop; the room rings out. */
  stop() {
    if (!this.playing) return;
    this.#from = this.position;
    if (this.#from >= this.duration) this.#from = 0;
    this.#halt();
    this.playing = false;
  }

  seek(seconds) {
    const from = Math.min(Math.max(seconds, 0), Math.max(this.duration - 0.001, 0));
    if (this.playing) this.#start(from);
    else this.#from = from;
  }

  setLoop(region) {
    const at = this.position;
    this.loop = region;
    if (this.playing) this.#start(region && (at < region[0] || at >= region[1]) ? region[0] : Math.min(at, this.duration));
    else if (region) this.#from = region[0];
  }

  /** The position in seconds; past the recording's end while the room rings out. */
  get position() {
    if (!this.playing) return this.#from;
    const at = this.#from + this.#context.currentTime - this.#began;
    if (this.loop) {
      const [first, last] = this.loop;
      return at < last ? at : first + ((at - first) % (last - first));
    }
    if (at > this.duration + this.#tail) {
      this.playing = false;
      this.#source = null;
      return (this.#from = 0);
    }
    return at;
  }

  hear(what) { this.heard = what; this.#balance(FADE); }
  setMatch(db) { this.matchDb = db; this.#balance(FADE); }

  #balance(time) {
    if (!this.#context) return;
    const set = (node, gain) => time
      ? node.gain.setTargetAtTime(gain, this.#context.currentTime, time / 3)
      : (node.gain.value = gain);
    set(this.dry, this.heard === "dry" ? 1 : 0);
    set(this.room, this.heard === "dry" ? 0 : 1);
    set(this.match, 10 ** (this.matchDb / 20));
  }

  /** The current peak of the output, in dBFS. */
  peakDb() {
    if (!this.#context || this.#context.state !== "running") return -Infinity;
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return 20 * Math.log10(samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
  }
}

/** A convolver with one response, a gate before it and a gain after it. */
class Voice {
  constructor(context, buffer, input, output) {
    this.context = context;
    this.input = input;
    this.seconds = buffer.duration;
    this.gate = new GainNode(context, { gain: 0 });
    this.convolver = new ConvolverNode(context, { buffer, disableNormalization: true });
    this.voice = new GainNode(context);
    input.connect(this.gate).connect(this.convolver).connect(this.voice).connect(output);
    this.#fade(0, 1);
  }

  #fade(from, to) {
    // A ramp begins at the event before it, which must exist and must not be in the past.
    const start = this.context.currentTime + AHEAD;
    this.gate.gain.cancelScheduledValues(0);
    this.gate.gain.setValueAtTime(from, start);
    this.gate.gain.linearRampToValueAtTime(to, start + FADE);
  }

  /** Accept no more input, and ring out. */
  leave() {
    this.#fade(this.gate.gain.value, 0);
    setTimeout(() => this.#disconnect(), 1000 * (this.seconds + FADE) + 200);
  }

  /** Fade out and disconnect. */
  end(seconds) {
    if (seconds) this.voice.gain.setTargetAtTime(0, this.context.currentTime, seconds / 3);
    setTimeout(() => this.#disconnect(), 2000 * seconds);
  }

  #disconnect() {
    if (this.silent) return;
    this.silent = true;
    this.input.disconnect(this.gate);
    this.voice.disconnect();
  }
}
