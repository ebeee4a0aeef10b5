// Renders: requested, watched while they wait and run, and saved at their end.

import { ask, call, save } from "./api.js";

const PAUSE = 200; // ms between two requests of the state

export class Renders {
  #list;

  /** @param tell shows a line of status; its second argument is true for a failure */
  constructor(list, tell) {
    this.#list = list;
    this.tell = tell;
  }

  async start(wanted) {
    const facts = await ask("renders", { json: wanted });
    const item = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: facts.name });
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Progress of ${facts.name}`);
    const said = Object.assign(document.createElement("span"), { className: "facts" });
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Cancel" });
    button.addEventListener("click", () => this.#press(button, item, facts.id));
    item.append(name, button, bar, said);
    this.#list.prepend(item);
    this.tell(`Rendering ${facts.name}`);
    await this.#watch(facts, { item, bar, said, button });
  }

  async #press(button, item, id) {
    try {
      if (item.dataset.state === "done") await save(`renders/${id}/file`);
      else {
        button.disabled = true;
        await call(`renders/${id}`, { method: "DELETE" });
      }
    } catch (error) { this.tell(error.message, true); }
  }

  async #watch(facts, { item, bar, said, button }) {
    for (;;) {
      item.dataset.state = facts.state;
      bar.value = facts.progress;
      said.textContent = this.#words(facts);
      if (!["queued", "running"].includes(facts.state)) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      facts = await ask(`renders/${facts.id}`);
    }
    if (facts.state !== "done") {
      bar.remove();
      if (document.activeElement === button) this.#list.focus(); // keeps the keyboard focus in the list
      button.remove();
      this.tell(`${facts.name}: ${facts.state === "failed" ? facts.error : "cancelled"}`, facts.state === "failed");
      return;
    }
    button.textContent = "Save again";
    await save(`renders/${facts.id}/file`);
    this.tell(`${facts.name} was rendered`);
  }

  #words(facts) {
    if (facts.state === "queued") return facts.before ? `waiting, ${facts.before} before it` : "waiting";
    if (facts.state === "running") return `${Math.round(100 * facts.progress)} %`;
    if (facts.state === "failed") return facts.error;
    if (facts.state === "cancelled") return "cancelled";
    const { clipped, peak_db: peak, speed, subtype } = facts.report;
    const over = clipped
      ? ` · ${clipped} samples over full scale${subtype === "FLOAT" ? "" : ", clipped"}: lower the level by ${(Math.ceil(10 * peak) / 10).toFixed(1)} dB`
      : "";
    return `peak ${peak.toFixed(1).replace("-", "−")} dBFS · ${Math.round(speed)} × real time${over}`;
  }
}
