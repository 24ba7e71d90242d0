// A bar of a round length, which says how large things are: over images, planes, and volumes in space.

import { h } from "./dom";
import { lengthLabel, niceBelow } from "./units";

const BAR_LIMIT = 140;
/** In a small view the bar takes no more than this part of its width. */
const BAR_SHARE = 0.35;

/** How lengths of an image are said: `perPixel` in `unit` per image pixel at full size. */
export interface Scale {
  perPixel: number;
  label(length: number): string;
}

export const lengthScale = (angstromPerPixel: number): Scale => ({ perPixel: angstromPerPixel, label: lengthLabel });

/** Spatial frequency of a spectrum of `size` pixels whose edge is at `nyquist` Å⁻¹. */
export const frequencyScale = (nyquist: number, size: number): Scale => ({
  perPixel: (2 * nyquist) / size,
  label: (frequency) => `${Number(frequency.toPrecision(2))}\u2009Å⁻¹`,
});

/** Length (px on screen) and label of a bar that is a round number and at most `limit` px long. */
export function scaleBar(scale: Scale, zoom: number, limit: number): { width: number; label: string } {
  const perScreenPixel = scale.perPixel / zoom;
  const length = niceBelow(limit * perScreenPixel);
  return { width: length / perScreenPixel, label: scale.label(length) };
}

export class ScaleBar {
  readonly node: HTMLElement;
  readonly #bar = h("div", { class: "scale-bar" });
  readonly #label: HTMLElement;

  /** `of`: what it lies over, where there are several; empty: the only image. */
  constructor(of = "") {
    const hook = (name: string): string => (of ? `${name}-${of}` : name);
    this.#label = h("div", { class: "scale-label", "data-athena": hook("scale-label") });
    this.node = h("div", { class: "scale", "data-athena": hook("scale-bar") }, this.#label, this.#bar);
  }

  /** `zoom`: screen pixels per pixel of the image; hidden where nothing says how large a pixel is. */
  show(scale: Scale, zoom: number, viewWidth = Number.POSITIVE_INFINITY): void {
    this.node.hidden = !(scale.perPixel > 0);
    if (this.node.hidden) return;
    const { width, label } = scaleBar(scale, zoom, Math.min(BAR_LIMIT, BAR_SHARE * viewWidth));
    this.#bar.style.width = `${width}px`;
    this.#label.textContent = label;
  }
}
