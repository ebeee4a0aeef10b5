// The knobs: their settings, the mapping from turn (0 to 1) to value, drawing, input, and texts for screen readers.

const linear = (low, high, step) => ({
  value: (turn) => Math.round((low + turn * (high - low)) / step) * step,
  turn: (value) => (value - low) / (high - low),
});
const logarithmic = (low, high, digits = 2) => ({
  value: (turn) => Number((low * (high / low) ** turn).toPrecision(digits)),
  turn: (value) => Math.log(value / low) / Math.log(high / low),
});
const squared = (high) => ({ value: (turn) => Math.round(high * turn * turn), turn: (value) => Math.sqrt(value / high) });
const hertz = (hz) => (hz >= 1000 ? `${Number((hz / 1000).toFixed(1))} kHz` : `${Math.round(hz)} Hz`);
const tidy = (number, digits) => Number(number.toFixed(digits));

export const KNOBS = [
  { name: "mix", label: "Mix", usual: 0.3, from: 0, ...linear(0, 1, 0.01), text: (v) => `${Math.round(100 * v)} %` },
  { name: "predelay_ms", label: "Pre-delay", usual: 0, from: 0, ...squared(250), text: (v) => `${v} ms` },
  { name: "decay", label: "Decay", usual: 1, from: 0.5, ...logarithmic(0.25, 4),
    text: (v, t30) => (t30 ? `${tidy(v * t30, v * t30 < 1 ? 2 : 1)} s` : `× ${v}`) },
  { name: "low_cut", label: "Low cut", usual: 20, from: 0, off: 20, ...logarithmic(20, 2000), text: hertz },
  { name: "high_cut", label: "High cut", usual: 20000, from: 1, off: 20000, ...logarithmic(1000, 20000), text: hertz },
  { name: "width", label: "Width", usual: 1, from: 0.5, ...linear(0, 2, 0.01), text: (v) => `${Math.round(100 * v)} %` },
  { name: "level_db", label: "Level", usual: 0, from: 2 / 3, ...linear(-24, 12, 0.1), text: (v) => `${v > 0 ? "+" : v < 0 ? "−" : ""}${Math.abs(v).toFixed(1)} dB` },
];

const SWEEP = 270;
const STEP = 0.01, FINE = 0.0025, LARGE = 0.1;

const point = (turn, radius) => {
  const angle = ((turn - 0.5) * SWEEP - 90) * (Math.PI / 180);
  return `${(32 + radius * Math.cos(angle)).toFixed(2)} ${(32 + radius * Math.sin(angle)).toFixed(2)}`;
};
const arc = (first, last, radius) => {
  const [a, b] = first < last ? [first, last] : [last, first];
  return `M${point(a, radius)}A${radius} ${radius} 0 ${(b - a) * SWEEP > 180 ? 1 : 0} 1 ${point(b, radius)}`;
};

export class Knob {
  /** @param changed called with the knob while it turns */
  constructor(parent, kind, changed) {
    Object.assign(this, { kind, changed, t30: null });
    const box = document.createElement("div");
    box.className = "dial";
    box.innerHTML = `
      <span class="name" id="name-${kind.name}">${kind.label}</span>
      <div class="knob" id="knob-${kind.name}" role="slider" tabindex="0" aria-labelledby="name-${kind.name}"
           aria-valuemin="0" aria-valuemax="100">
        <svg viewBox="0 0 64 64" aria-hidden="true">
          <path class="track" d="${arc(0, 1, 27)}"/><path class="turned"/>
          <circle class="cap" cx="32" cy="32" r="20"/><path class="hand"/>
        </svg>
      </div>
      <span class="value" aria-hidden="true"></span>`;
    this.element = box.querySelector(".knob");
    this.shown = box.querySelector(".value");
    parent.append(box);
    this.#listen();
    this.set(kind.usual, false);
  }

  /** The setting for the server: null if the knob is off. */
  get setting() { return this.value === this.kind.off ? null : tidy(this.value, 6); }

  set(value, tell = true) {
    const limited = Math.min(Math.max(this.kind.turn(value), 0), 1);
    this.turn = limited;
    this.value = tidy(this.kind.value(limited), 6);
    this.draw();
    if (tell) this.changed(this);
  }

  #turnTo(turn) {
    const limited = Math.min(Math.max(turn, 0), 1);
    const value = tidy(this.kind.value(limited), 6);
    const same = value === this.value;
    this.turn = limited;
    this.value = value;
    this.draw();
    if (!same) this.changed(this);
  }

  draw() {
    const { kind, value, element } = this;
    const text = value === kind.off ? "off" : kind.text(value, this.t30);
    const turn = kind.turn(value);
    element.setAttribute("aria-valuenow", Math.round(100 * turn));
    element.setAttribute("aria-valuetext", text);
    this.shown.textContent = text;
    element.querySelector(".turned").setAttribute("d", Math.abs(turn - kind.from) < 0.002 ? "" : arc(kind.from, turn, 27));
    element.querySelector(".hand").setAttribute("d", `M${point(turn, 10)}L${point(turn, 17)}`);
  }

  #listen() {
    const { element, kind } = this;
    let start = null;
    element.addEventListener("pointerdown", (event) => {
      element.focus();
      element.setPointerCapture(event.pointerId);
      start = { y: event.clientY, x: event.clientX, turn: this.turn };
      event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => {
      if (!start) return;
      const moved = start.y - event.clientY + (event.clientX - start.x) * 0.5;
      this.#turnTo(start.turn + moved / (event.shiftKey ? 900 : 180));
    });
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { start = null; });
    element.addEventListener("dblclick", () => this.set(kind.usual));
    element.addEventListener("wheel", (event) => {
      if (document.activeElement !== element) return; // scrolls the page, unless the knob has the focus
      event.preventDefault();
      this.#turnTo(this.turn - Math.sign(event.deltaY) * STEP);
    }, { passive: false });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const step = event.shiftKey ? FINE : STEP;
    const turns = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: LARGE, PageDown: -LARGE };
    if (event.key in turns) this.#step(turns[event.key]);
    else if (event.key === "Home") this.#turnTo(0);
    else if (event.key === "End") this.#turnTo(1);
    else if (event.key === "Delete" || event.key === "Backspace") this.set(this.kind.usual);
    else return;
    event.preventDefault();
  }

  /** Turn by a step, or by as many steps as it takes to change the value. */
  #step(by) {
    const before = this.value;
    for (let turn = this.turn + by; ; turn += by) {
      this.#turnTo(turn);
      if (this.value !== before || turn <= 0 || turn >= 1) return;
    }
  }
}
