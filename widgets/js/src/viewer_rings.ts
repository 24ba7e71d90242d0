// What lies over a spectrum: circles of a resolution with their names, and the zeros of the fitted CTF.

import type OpenSeadragon from "openseadragon";
import { type Astigmatism, samePhase } from "./ctf_zeros";
import type { Value } from "./units";
import { fixed } from "./units";
import { magnification, type Point, toScreen } from "./viewer_geometry";
import { svg } from "./viewer_overlay";

const RESOLUTIONS = [50, 30, 20, 15, 10, 8, 6, 5, 4, 3.5, 3, 2.5, 2, 1.5, 1.2, 1];
/** Between neighbouring circles on the screen, and from the centre to the first, px. */
const APART_PX = 36;
/** Zeros that lie closer on the screen are left out, px. */
const ZEROS_APART_PX = 5;
const DIRECTIONS = 180;
/** Names stand where circles meet this diagonal, beside the half that shows the fit. */
const NAMES_AT = -Math.PI / 4;

export interface SpectrumScale {
  /** Where frequency 0 lies in the picture, px from its displayed top left. */
  centre: Point;
  /** Å⁻¹ to a pixel of the picture. */
  perPixel: number;
  nyquist: number;
  /** Å that the fit reaches, if one was found. */
  resolution: Value;
}

export interface Zeros {
  frequencies: readonly number[];
  astigmatism: Astigmatism;
}

export class RingOverlay {
  readonly node = svg("svg", { class: "viewer-rings", "data-athena": "rings", "aria-hidden": "true" });
  readonly #viewer: OpenSeadragon.Viewer;
  #scale: SpectrumScale | undefined;
  #zeros: Zeros | undefined;
  #rings = true;
  #drawn = "";

  constructor(viewer: OpenSeadragon.Viewer) {
    this.#viewer = viewer;
    viewer.addHandler("update-viewport", () => this.#draw());
  }

  get rings(): boolean {
    return this.#rings;
  }

  set rings(on: boolean) {
    this.#rings = on;
    this.#redraw();
  }

  /** The spectrum that is shown from now on; its zeros come later, if they are wanted. */
  show(scale: SpectrumScale | undefined): void {
    this.#scale = scale;
    this.#zeros = undefined;
    this.#redraw();
  }

  showZeros(zeros: Zeros | undefined): void {
    this.#zeros = zeros;
    this.#redraw();
  }

  #redraw(): void {
    this.#drawn = "";
    this.#draw();
  }

  #draw(): void {
    const scale = this.#scale;
    const centre = scale && toScreen(this.#viewer, scale.centre);
    if (!scale || !centre) return this.node.replaceChildren();
    const perPx = scale.perPixel / magnification(this.#viewer);
    const { viewport } = this.#viewer;
    const now = [centre.x, centre.y, perPx, viewport.getRotation(), viewport.getFlip()].join();
    if (now === this.#drawn) return;
    this.#drawn = now;
    this.node.replaceChildren(
      ...(this.#zeros ? this.#zeroPaths(this.#zeros, scale, perPx) : []),
      ...(this.#rings ? this.#circles(scale, centre, perPx) : []),
    );
  }

  #circles(scale: SpectrumScale, centre: Point, perPx: number): SVGElement[] {
    const parts: SVGElement[] = [];
    const reach = scale.resolution ? 1 / scale.resolution / perPx : 0;
    const circle = (radius: number, name: string, kind: string): void => {
      const [x, y] = [centre.x + radius * Math.cos(NAMES_AT), centre.y + radius * Math.sin(NAMES_AT)];
      const text = svg("text", { class: `ring-name ${kind}`, x, y, "data-athena": "ring-name" });
      text.textContent = name;
      parts.push(svg("circle", { class: `ring ${kind}`, cx: centre.x, cy: centre.y, r: radius }), text);
    };
    let last = 0;
    for (const resolution of RESOLUTIONS) {
      const radius = 1 / resolution / perPx;
      if (1 / resolution > scale.nyquist || radius - last < APART_PX || Math.abs(radius - reach) < APART_PX / 2)
        continue;
      last = radius;
      circle(radius, `${resolution}\u2009Å`, "");
    }
    if (reach && 1 / (scale.resolution ?? 1) <= scale.nyquist) {
      circle(reach, `fit to ${fixed(scale.resolution, 1)}\u2009Å`, "reach");
    }
    return parts;
  }

  /** Those that the fit reaches, and fainter those that only follow from it. */
  #zeroPaths(zeros: Zeros, scale: SpectrumScale, perPx: number): SVGElement[] {
    const paths = { within: "", beyond: "" };
    const reach = scale.resolution ? 1 / scale.resolution : Number.POSITIVE_INFINITY;
    let last = 0;
    for (const frequency of zeros.frequencies) {
      if ((frequency - last) / perPx < ZEROS_APART_PX) continue;
      last = frequency;
      paths[frequency <= reach ? "within" : "beyond"] += this.#contour(frequency, zeros.astigmatism, scale);
    }
    return [
      svg("path", { class: "ctf-zeros beyond", d: paths.beyond }),
      svg("path", { class: "ctf-zeros", d: paths.within, "data-athena": "zeros-line" }),
    ];
  }

  #contour(frequency: number, astigmatism: Astigmatism, scale: SpectrumScale): string {
    let path = "";
    let pen = false;
    for (let i = 0; i <= DIRECTIONS; i++) {
      const azimuth = (i / DIRECTIONS) * 2 * Math.PI;
      const k = samePhase(frequency, azimuth, astigmatism);
      const radius = k === undefined || k > scale.nyquist ? undefined : k / scale.perPixel;
      // y counts upwards for angles, downwards in the picture
      const at = radius === undefined ? undefined : this.#onScreen(scale.centre, radius, azimuth);
      if (at) path += `${pen ? "L" : "M"}${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
      pen = at !== undefined;
    }
    return path;
  }

  #onScreen(centre: Point, radius: number, azimuth: number): Point | undefined {
    const [x, y] = [centre.x + radius * Math.cos(azimuth), centre.y - radius * Math.sin(azimuth)];
    return toScreen(this.#viewer, { x, y });
  }
}
