// A loop without a click: its end crossfades into the sound before its start.

const FADE = 0.01;
const HEAD = 0.002; // fade-in at the start, if there is no sound before it

/** Return the loop between two times of a recording, in seconds; before the recording there is silence. */
export function looped(buffer, from, to) {
  const rate = buffer.sampleRate;
  const first = Math.round(from * rate);
  const length = Math.max(Math.round(to * rate) - first, 1);
  const fade = Math.min(Math.round(FADE * rate), Math.floor(length / 2));
  const head = first < fade ? Math.min(Math.round(HEAD * rate), fade) : 0;
  const loop = new AudioBuffer({ length, numberOfChannels: buffer.numberOfChannels, sampleRate: rate });
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const before = buffer.getChannelData(channel), after = loop.getChannelData(channel);
    after.set(before.subarray(first, first + length));
    for (let n = 0; n < fade; n += 1) {
      const turn = ((n + 0.5) / fade) * (Math.PI / 2);
      const at = length - fade + n;
      after[at] = Math.cos(turn) * after[at] + Math.sin(turn) * (before[first - fade + n] ?? 0);
    }
    for (let n = 0; n < head; n += 1) after[n] *= Math.sin(((n + 0.5) / head) * (Math.PI / 2));
  }
  return loop;
}
