// Which section of a movie or volume is looked at: axes, a slider, steps by PageUp and PageDown, or all as one image.

import type { FileImageInfo } from "./api.gen";
import { h } from "./dom";
import type { Scope } from "./model";
import type { Axis, Whole } from "./paths";
import { fixed } from "./units";

/** Between two sections asked for while the slider moves. */
const REST_MS = 60;
const WHOLES: Record<Whole, [string, string]> = {
  mean: ["Mean", "Mean of all sections"],
  max: ["Max", "Brightest of all sections, pixel by pixel"],
};
const PLANES: Record<Axis, string> = { z: "XY", y: "XZ", x: "YZ" };

export class SectionBar {
  readonly node: HTMLElement;
  readonly #want: (axis: Axis, section: number | undefined, whole: Whole | undefined) => void;
  readonly #slider = h("input", { type: "range", min: 0, max: 0, "aria-label": "Section", "data-athena": "section" });
  readonly #words = h("span", { class: "section-words", "data-athena": "section-words" });
  readonly #planes = h("span", { class: "section-planes" });
  readonly #wholes = Object.entries(WHOLES).map(([whole, [label, tip]]) => {
    const button = h("button", {
      type: "button",
      title: tip,
      "data-athena": `whole-${whole}`,
      "aria-pressed": "false",
    });
    button.append(label);
    button.addEventListener("click", () => this.#together(this.#whole === whole ? undefined : (whole as Whole)));
    return { whole, button };
  });
  #whole: Whole | undefined;
  #axis: Axis = "z";
  #axes = "";
  #asked = 0;
  #binning = 1;

  constructor(
    stage: HTMLElement,
    scope: Scope,
    want: (axis: Axis, section: number | undefined, whole: Whole | undefined) => void,
  ) {
    this.#want = want;
    const together = h("span", { class: "section-planes", role: "group", "aria-label": "All sections as one" });
    together.append(...this.#wholes.map(({ button }) => button));
    this.node = h("div", { class: "section-bar" }, this.#planes, this.#slider, this.#words, together);
    this.node.hidden = true;
    scope.listen(this.#slider, "input", () => this.#settle(Number(this.#slider.value)));
    scope.listen(stage, "keydown", (event) => {
      const step = { PageUp: 1, PageDown: -1 }[event.key];
      if (!step || this.node.hidden) return;
      event.preventDefault();
      const last = Number(this.#slider.max);
      this.#settle(Math.min(last, Math.max(0, Number(this.#slider.value) + step)));
    });
    scope.defer(() => window.clearTimeout(this.#asked));
  }

  /** The file begins anew. */
  reset(): void {
    this.#axis = "z";
    this.#axes = "";
    this.#pressed(undefined);
    this.node.hidden = true;
  }

  /** All sections as one image, or the one that the slider names. */
  #together(whole: Whole | undefined): void {
    this.#pressed(whole);
    this.#want(this.#axis, whole ? undefined : Number(this.#slider.value), whole);
  }

  #pressed(whole: Whole | undefined): void {
    this.#whole = whole;
    for (const one of this.#wholes) one.button.setAttribute("aria-pressed", String(one.whole === whole));
  }

  /** Say what is shown. */
  show(info: FileImageInfo): void {
    const count = info.counts[info.axes.indexOf(this.#axis)] ?? 1;
    this.node.hidden = count < 2 && info.axes.length < 2;
    this.#slider.max = String(count - 1);
    if (!this.#asked && !info.whole) this.#slider.value = String(info.section);
    this.#binning = info.binning ?? 1;
    this.#tell(info.section, count);
    if (info.axes.join() !== this.#axes) this.#drawPlanes(info.axes as Axis[]);
  }

  #drawPlanes(axes: Axis[]): void {
    this.#axes = axes.join();
    const buttons = axes.map((axis) => {
      const button = h("button", { type: "button", "data-athena": `plane-${axis}` }, PLANES[axis]);
      button.setAttribute("aria-pressed", String(axis === this.#axis));
      button.addEventListener("click", () => {
        this.#axis = axis;
        for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
        this.#want(axis, undefined, this.#whole);
      });
      return button;
    });
    this.#planes.replaceChildren(...(axes.length > 1 ? buttons : []));
  }

  #settle(section: number): void {
    this.#slider.value = String(section);
    this.#pressed(undefined);
    this.#tell(section, Number(this.#slider.max) + 1);
    window.clearTimeout(this.#asked);
    this.#asked = window.setTimeout(() => {
      this.#asked = 0;
      this.#want(this.#axis, section, undefined);
    }, REST_MS);
  }

  #tell(section: number, count: number): void {
    const all = this.#whole && `all ${fixed(count, 0)}`;
    const averaged = this.#binning > 1 ? `, ${this.#binning} × ${this.#binning} px averaged` : "";
    this.#words.textContent = (all ?? `${fixed(section + 1, 0)} of ${fixed(count, 0)}`) + averaged;
  }
}
