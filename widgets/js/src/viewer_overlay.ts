// What lies over the image: scale bar, read-out under the pointer, and the measuring line.

import type OpenSeadragon from "openseadragon";
import { h } from "./dom";
import type { Scope } from "./model";
import { type Scale, ScaleBar } from "./scale_bar";
import { fixed } from "./units";
import { magnification, type Point, toImage, toScreen } from "./viewer_geometry";

const SVG = "http://www.w3.org/2000/svg";
const TICK = 6;

export interface OverlayImage {
  width: number;
  height: number;
  scale: Scale;
  /** Text for the pointer's place in the image, px from the displayed top left. */
  describe(point: Point): string;
}

export function svg(name: string, attributes: Record<string, string | number> = {}): SVGElement {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

/** Scale bar and read-out; call `show` with each new image. */
export class Legend {
  readonly node: HTMLElement;
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #bar = new ScaleBar();
  readonly #readout = h("div", { class: "viewer-readout", "data-athena": "readout" });
  #image: OverlayImage | undefined;
  #pointer: Point | undefined;

  constructor(viewer: OpenSeadragon.Viewer, stage: HTMLElement, scope: Scope) {
    this.#viewer = viewer;
    this.node = h("div", { class: "viewer-legend", hidden: true }, this.#bar.node, this.#readout);
    viewer.addHandler("update-viewport", () => this.#draw());
    scope.listen(stage, "pointermove", (event) => {
      const frame = stage.getBoundingClientRect();
      this.#pointer = { x: event.clientX - frame.left, y: event.clientY - frame.top };
      this.#drawReadout();
    });
    scope.listen(stage, "pointerleave", () => {
      this.#pointer = undefined;
      this.#drawReadout();
    });
  }

  show(image: OverlayImage | undefined): void {
    this.#image = image;
    this.node.hidden = !image;
    this.#draw();
  }

  #draw(): void {
    if (!this.#image || this.#viewer.world.getItemCount() === 0) return;
    this.#bar.show(this.#image.scale, magnification(this.#viewer));
    this.#drawReadout();
  }

  #drawReadout(): void {
    const image = this.#image;
    const zoom = `${fixed(magnification(this.#viewer) * 100, 0)}\u2009%`;
    const place = this.#pointer && toImage(this.#viewer, this.#pointer);
    const inside =
      image && place && place.x >= 0 && place.y >= 0 && place.x < image.width && place.y < image.height
        ? `${image.describe(place)} · `
        : "";
    this.#readout.textContent = inside + zoom;
  }
}

/** Drag a line, read its length. It stays with the image while that is moved. */
export class MeasuringTape {
  readonly node = svg("svg", { class: "viewer-tape", "data-athena": "tape" });
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #line = svg("path", { class: "tape-line" });
  readonly #text = svg("text", { class: "tape-text", "data-athena": "tape-length" });
  #ends: [Point, Point] | undefined;
  #scale: Scale | undefined;
  #active = false;

  constructor(viewer: OpenSeadragon.Viewer, scope: Scope) {
    this.#viewer = viewer;
    this.node.append(this.#line, this.#text);
    viewer.addHandler("update-viewport", () => this.#draw());
    const at = (event: PointerEvent): Point | undefined => {
      const frame = this.node.getBoundingClientRect();
      return toImage(viewer, { x: event.clientX - frame.left, y: event.clientY - frame.top });
    };
    scope.listen(this.node, "pointerdown", (event) => {
      const start = at(event);
      if (!start || event.button !== 0) return;
      this.node.setPointerCapture(event.pointerId);
      // an svg takes no focus: without this the keys would be lost
      event.preventDefault();
      viewer.canvas.focus({ preventScroll: true });
      this.#ends = [start, start];
      this.#draw();
    });
    scope.listen(this.node, "pointermove", (event) => {
      const end = at(event);
      if (!end || !this.#ends || !this.node.hasPointerCapture(event.pointerId)) return;
      this.#ends = [this.#ends[0], end];
      this.#draw();
    });
  }

  get active(): boolean {
    return this.#active;
  }

  set active(on: boolean) {
    this.#active = on;
    this.node.classList.toggle("active", on);
    if (!on) this.#ends = undefined;
    this.#draw();
  }

  show(scale: Scale | undefined): void {
    this.#scale = scale;
    this.#ends = undefined;
    this.#draw();
  }

  #draw(): void {
    const [a, b] = (this.#ends ?? []).map((point) => toScreen(this.#viewer, point));
    if (!a || !b || !this.#ends || !this.#scale) {
      this.#line.setAttribute("d", "");
      this.#text.textContent = "";
      return;
    }
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const length = Math.hypot(dx, dy) || 1;
    const [nx, ny] = [(-dy / length) * TICK, (dx / length) * TICK];
    const tick = (p: Point): string => `M${p.x - nx} ${p.y - ny}L${p.x + nx} ${p.y + ny}`;
    this.#line.setAttribute("d", `M${a.x} ${a.y}L${b.x} ${b.y}${tick(a)}${tick(b)}`);
    const [start, end] = this.#ends;
    const measured = Math.hypot(end.x - start.x, end.y - start.y) * this.#scale.perPixel;
    this.#text.textContent = measured > 0 ? this.#scale.label(measured) : "";
    this.#text.setAttribute("x", String((a.x + b.x) / 2 + nx * 3));
    this.#text.setAttribute("y", String((a.y + b.y) / 2 + ny * 3 + 4));
  }
}
