// The rooms: a card for each, with its decay.

import { ask } from "./api.js";
import { sparkline } from "./draw.js";

const LONGEST = 4; // seconds that a card shows, enough to distinguish rooms
const SVG = "http://www.w3.org/2000/svg";

export class Gallery {
  #parent;
  rooms = new Map();
  chosen = null;

  /** @param choose called with the chosen room; @param remove called with an uploaded room to remove */
  constructor(parent, { choose, remove }) {
    this.#parent = parent;
    this.choose = choose;
    this.remove = remove;
  }

  add(room) {
    const card = Object.assign(document.createElement("div"), { className: "room", title: room.description });
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "room", value: room.id, className: "unseen" });
    input.addEventListener("change", () => this.select(room.id));
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", "0 0 100 38");
    picture.setAttribute("preserveAspectRatio", "none");
    picture.setAttribute("aria-hidden", "true");
    picture.append(document.createElementNS(SVG, "path"));
    const name = Object.assign(document.createElement("strong"), { textContent: room.name });
    const facts = Object.assign(document.createElement("span"), { className: "facts" });
    label.append(input, picture, name, facts);
    card.append(label);
    if (room.own) card.append(this.#bin(room));
    this.#parent.append(card);
    this.rooms.set(room.id, { ...room, card, input, facts });
    this.#describe(room.id, room.t30);
    return this.#fetchDecay(room.id, picture.firstChild);
  }

  #bin(room) {
    const bin = Object.assign(document.createElement("button"), { type: "button", className: "bin", textContent: "×" });
    bin.setAttribute("aria-label", `Remove ${room.name}`);
    bin.addEventListener("click", () => {
      this.rooms.get(room.id).card.remove();
      this.rooms.delete(room.id);
      if (this.chosen?.id === room.id) this.select([...this.rooms.keys()][0]);
      this.chosen.input.focus();
      this.remove(room);
    });
    return bin;
  }

  #describe(id, t30) {
    const room = this.rooms.get(id);
    const layout = { "true-stereo": "true stereo" }[room.layout] ?? room.layout;
    room.facts.textContent = `${(t30 ?? room.seconds).toFixed(1)} s · ${layout}`;
  }

  async #fetchDecay(id, path) {
    const decay = await ask(`rooms/${id}/decay`);
    const room = this.rooms.get(id);
    if (!room) return;
    Object.assign(room, { t30: decay.t30, decay });
    this.#describe(id, decay.t30);
    path.setAttribute("d", sparkline(decay, LONGEST));
    if (this.chosen?.id === id) this.choose(room, false);
  }

  select(id) {
    const room = this.rooms.get(id);
    if (!room) return;
    room.input.checked = true;
    this.chosen = room;
    this.#parent.scrollTo({ left: room.card.offsetLeft - this.#parent.offsetLeft - 40 });
    this.choose(room, true);
  }
}
