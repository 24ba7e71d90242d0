// What dragging over a chart does: one of three, chosen beside the rules.

import { h } from "./dom";

export type Mode = "filter" | "select" | "zoom";
const MODES: [Mode, string, string][] = [
  ["filter", "Filter", "Drag over values to keep only those"],
  ["select", "Select", "Drag over points to accept or reject them (also with Shift held)"],
  ["zoom", "Zoom", "Drag along the micrographs to look closer (also Ctrl and the wheel)"],
];

export class DragModes {
  readonly node: HTMLElement;
  readonly #buttons = new Map<Mode, HTMLButtonElement>();
  mode: Mode = "filter";

  constructor() {
    for (const [mode, label, tip] of MODES) {
      const button = h("button", { type: "button", class: "mode", title: tip, "data-athena": `drag-${mode}` }, label);
      button.addEventListener("click", () => this.#choose(mode));
      this.#buttons.set(mode, button);
    }
    this.node = h(
      "div",
      { class: "modes", role: "group", "aria-label": "What dragging does" },
      ...this.#buttons.values(),
    );
    this.#choose(this.mode);
  }

  #choose(mode: Mode): void {
    this.mode = mode;
    for (const [name, button] of this.#buttons) button.setAttribute("aria-pressed", String(name === mode));
  }
}
