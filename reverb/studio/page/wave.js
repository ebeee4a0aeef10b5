// The waveform as a control: a click seeks, a drag chooses a region, arrow keys step.

const STILL = 4; // largest movement of a click, in pixels

/**
 * @param length returns the seconds that the waveform shows, 0 for none
 * @param choose called with the two ends of a region, in seconds, while it is drawn; @param go called with the position to seek
 * @param step called with seconds to move by
 */
export function listenToWave(wave, { length, choose, go, step }) {
  let start = null;
  const seconds = (event) => {
    const box = wave.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * length();
  };
  const moved = (event) => start && Math.abs(event.clientX - start.x) > STILL;
  wave.addEventListener("pointerdown", (event) => {
    if (!length()) return;
    wave.setPointerCapture(event.pointerId);
    start = { at: seconds(event), x: event.clientX };
  });
  wave.addEventListener("pointermove", (event) => { if (moved(event)) choose(start.at, seconds(event)); });
  wave.addEventListener("pointerup", (event) => {
    if (start && !moved(event)) go(start.at);
    start = null;
  });
  wave.addEventListener("pointercancel", () => { start = null; });
  wave.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5, Home: -Infinity, End: Infinity }[event.key];
    if (!by) return;
    step(by);
    event.preventDefault();
  });
}
