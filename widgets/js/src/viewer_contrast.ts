// Contrast in standard deviations of the micrograph: presets and two sliders.

import type { ImageInfo } from "./api.gen";
import { h } from "./dom";
import type { Contrast } from "./paths";
import { fixed } from "./units";

const REACH = 6;
const STEP = 0.1;
const GAP = 0.2;
const PRESETS = [1, 2, 3, 5];
const DEFAULT = 3;

/** Panel with the contrast of one image. `changed` is told each new pair; `settled` is true once the hand rests. */
export class ContrastPanel {
  readonly node: HTMLElement;
  readonly #low: HTMLInputElement;
  readonly #high: HTMLInputElement;
  readonly #readings = { low: h("output"), high: h("output") };
  readonly #presets: HTMLButtonElement[];
  readonly #changed: (contrast: Contrast, settled: boolean) => void;
  #mean = 0;
  #sigma = 1;

  constructor(changed: (contrast: Contrast, settled: boolean) => void) {
    this.#changed = changed;
    const slider = (name: string, value: number): HTMLInputElement =>
      h("input", { type: "range", min: -REACH, max: REACH, step: STEP, value, "aria-label": name });
    this.#low = slider("Black at", -DEFAULT);
    this.#high = slider("White at", DEFAULT);
    this.#low.dataset.athena = "contrast-low";
    this.#high.dataset.athena = "contrast-high";
    this.#presets = PRESETS.map((sigma) => {
      const button = h("button", { type: "button", class: "chip" }, `±${sigma} σ`);
      button.addEventListener("click", () => this.#set(-sigma, sigma, true));
      return button;
    });
    const row = (label: string, input: HTMLElement, reading: HTMLElement): HTMLElement =>
      h("label", { class: "contrast-row" }, h("span", { class: "muted" }, label), input, reading);
    this.node = h(
      "div",
      { class: "contrast-panel", "data-athena": "contrast-panel", hidden: true },
      h("div", { class: "chips", role: "group", "aria-label": "Contrast presets" }, ...this.#presets),
      row("Black", this.#low, this.#readings.low),
      row("White", this.#high, this.#readings.high),
    );
    for (const [input, other] of [
      [this.#low, this.#high],
      [this.#high, this.#low],
    ] as const) {
      input.addEventListener("input", () => this.#moved(input, other, false));
      input.addEventListener("change", () => this.#moved(input, other, true));
    }
  }

  /** Start from an image's own default, which is mean ± 3 σ; the sliders keep their places. */
  show(info: Pick<ImageInfo, "low" | "high">): Contrast {
    this.#mean = (info.low + info.high) / 2;
    this.#sigma = (info.high - info.low) / (2 * DEFAULT) || 1;
    this.#describe();
    return this.contrast;
  }

  get contrast(): Contrast {
    const grey = (input: HTMLInputElement): number =>
      Number((this.#mean + Number(input.value) * this.#sigma).toPrecision(6));
    return { low: grey(this.#low), high: grey(this.#high) };
  }

  #moved(input: HTMLInputElement, other: HTMLInputElement, settled: boolean): void {
    const [low, high] = [Number(this.#low.value), Number(this.#high.value)];
    // black must stay below white: the other slider gives way
    if (high - low < GAP) other.value = String(input === this.#low ? low + GAP : high - GAP);
    if (Number(this.#high.value) - Number(this.#low.value) < GAP / 2) {
      input.value = String(Number(other.value) + (input === this.#low ? -GAP : GAP));
    }
    this.#describe();
    this.#changed(this.contrast, settled);
  }

  #set(low: number, high: number, settled: boolean): void {
    this.#low.value = String(low);
    this.#high.value = String(high);
    this.#describe();
    this.#changed(this.contrast, settled);
  }

  #describe(): void {
    const [low, high] = [Number(this.#low.value), Number(this.#high.value)];
    this.#readings.low.textContent = `${fixed(low, 1)} σ`;
    this.#readings.high.textContent = `${fixed(high, 1)} σ`;
    PRESETS.forEach((sigma, i) => {
      this.#presets[i]?.setAttribute("aria-pressed", String(low === -sigma && high === sigma));
    });
  }
}

/** CSS filter that shows, until new tiles come, how tiles made at `drawn` would look at `wanted`. */
export function previewFilter(drawn: Contrast, wanted: Contrast): string {
  const slope = (drawn.high - drawn.low) / (wanted.high - wanted.low);
  const offset = (drawn.low - wanted.low) / (wanted.high - wanted.low);
  // contrast(c) brightness(b) maps v to b (c (v − ½) + ½): b c = slope and b (1 − c) / 2 = offset
  const brightness = slope + 2 * offset;
  if (brightness <= 0) return "";
  return `contrast(${slope / brightness}) brightness(${brightness})`;
}
