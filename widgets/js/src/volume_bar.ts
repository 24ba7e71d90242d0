// What a volume is looked at with: surface or projection, threshold, slab, contrast, play.

import contrastIcon from "icon:contrast";
import pauseIcon from "icon:pause";
import playIcon from "icon:play-arrow";
import { h, iconButton } from "./dom";
import { fixed, lengthLabel } from "./units";
import { ContrastPanel } from "./viewer_contrast";
import { figure } from "./volume_data";
import type { Style } from "./volume_shader";

const STYLES: [Style, string, string][] = [
  ["surface", "Surface", "The surface at the threshold"],
  ["projection", "Projection", "The densest voxel along each line of sight, from the threshold on"],
];
const STEP = 0.1;
export const MAX_SLAB = 99;

export interface BarHost {
  style(style: Style): void;
  threshold(sigma: number, settled: boolean): void;
  dark(dark: boolean): void;
  slab(sections: number): void;
  contrast(contrast: { low: number; high: number }): void;
  play(): void;
}

export class VolumeBar {
  readonly node: HTMLElement;
  readonly contrast: ContrastPanel;
  readonly #threshold: HTMLInputElement;
  readonly #sigma = h("output", { class: "bar-number", "data-athena": "volume-sigma" });
  readonly #slab: HTMLInputElement;
  readonly #thick = h("output", { class: "bar-number", "data-athena": "volume-thick" });
  readonly #styles: HTMLButtonElement[];
  readonly #dark: HTMLButtonElement;
  readonly #play: HTMLButtonElement;
  readonly #readout = h("span", { class: "bar-place muted", "data-athena": "volume-place" });

  constructor(host: BarHost) {
    this.contrast = new ContrastPanel((contrast) => host.contrast(contrast));
    // in σ of each plane: its mean is 0 and its σ is 1
    this.contrast.show({ low: -3, high: 3 });
    const range = (name: string, hook: string, bounds: Record<string, number>): HTMLInputElement =>
      h("input", { type: "range", "aria-label": name, "data-athena": hook, ...bounds });
    const above =
      "σ from the mean of the volume as it is drawn, towards what is dense; beside it, as a value of the file";
    this.#threshold = range("Threshold in σ", "volume-threshold", { min: 0, max: 6, step: STEP, value: 2.5 });
    this.#slab = range("Sections averaged", "volume-slab", { min: 1, max: MAX_SLAB, step: 2, value: 1 });
    this.#styles = STYLES.map(([style, label, tip]) => {
      const button = h("button", { type: "button", title: tip, "data-athena": `volume-${style}` }, label);
      button.addEventListener("click", () => host.style(style));
      return button;
    });
    this.#dark = h(
      "button",
      { type: "button", title: "Whether what is dense is dark, as in a tomogram", "data-athena": "volume-dark" },
      "Dense is dark",
    );
    this.#dark.addEventListener("click", () => host.dark(this.#dark.getAttribute("aria-pressed") !== "true"));
    this.#play = iconButton(playIcon, "Play through (space)", "volume-play", () => host.play());
    const contrastButton = iconButton(contrastIcon, "Contrast of the planes", "contrast", () => {
      this.contrast.node.hidden = !this.contrast.node.hidden;
      contrastButton.setAttribute("aria-pressed", String(!this.contrast.node.hidden));
    });
    const held = (input: HTMLInputElement, act: (value: number, settled: boolean) => void): void => {
      input.addEventListener("input", () => act(Number(input.value), false));
      input.addEventListener("change", () => act(Number(input.value), true));
    };
    held(this.#threshold, (value, settled) => host.threshold(value, settled));
    held(this.#slab, (value) => host.slab(value));
    const labelled = (label: string, title: string, ...parts: HTMLElement[]): HTMLElement =>
      h("label", { class: "bar-part", title }, h("span", { class: "muted" }, label), ...parts);
    this.node = h(
      "div",
      { class: "volume-bar", role: "toolbar", "aria-label": "How the volume is shown" },
      h("span", { class: "bar-group", role: "group", "aria-label": "In space" }, ...this.#styles, this.#dark),
      labelled("Threshold", above, this.#threshold, this.#sigma),
      labelled("Slab", "Sections averaged in each plane, and how thick that is ([ and ])", this.#slab, this.#thick),
      this.#play,
      contrastButton,
      this.#readout,
    );
  }

  /** How it is drawn in space; `top`: the densest there is, σ; `value`: the threshold as a value of the file. */
  show(style: Style, threshold: number, shown: { top: number; dark: boolean; value: number | undefined }): void {
    const { top, dark, value } = shown;
    this.#styles.forEach((button, at) => {
      button.setAttribute("aria-pressed", String(STYLES[at]?.[0] === style));
    });
    this.#dark.setAttribute("aria-pressed", String(dark));
    this.#threshold.max = String(Math.ceil(top / STEP) * STEP);
    this.#threshold.value = String(threshold);
    this.#threshold.disabled = value === undefined;
    this.#sigma.textContent = `${fixed(threshold, 1)}\u2009σ${value === undefined ? "" : ` = ${figure(value)}`}`;
  }

  /** Sections averaged, and how thick that is. */
  slab(sections: number, angstrom: number): void {
    this.#slab.value = String(sections);
    const thick = angstrom > 0 ? ` · ${lengthLabel(sections * angstrom)}` : "";
    this.#thick.textContent = `${sections}${thick}`;
  }

  place(text: string): void {
    this.#readout.textContent = text;
  }

  playing(on: boolean): void {
    this.#play.innerHTML = on ? pauseIcon : playIcon;
    this.#play.setAttribute("aria-pressed", String(on));
  }
}
