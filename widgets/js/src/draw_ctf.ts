// The 1-D CTF fit on a canvas: experimental and theoretical curve over spatial frequency.

import type { AcquisitionCurves } from "./api.gen";
import { unresolvedFrom } from "./ctf_zeros";
import type { Value } from "./units";

export interface CtfStyle {
  experimental: string;
  theory: string;
  quality: string;
  axis: string;
  text: string;
  mark: string;
  font: string;
}

export const SERIES = ["experimental", "theory", "quality"] as const;
export type Series = (typeof SERIES)[number];

export interface CtfView {
  width: number;
  height: number;
  style: CtfStyle;
  shown: ReadonlySet<Series>;
  /** Resolution the fit reaches, Å. */
  resolution: Value;
  /** Axes with numbers; without, only the curves and the mark. */
  axes: boolean;
  /** Curves are drawn from here on; below, the spectrum is all background. */
  lowest: number;
}

const RESOLUTION_TICKS = [30, 20, 15, 10, 8, 6, 5, 4, 3.5, 3, 2.5, 2, 1.5];
const HEADROOM = 1.08;
const BEYOND_ALPHA = 0.35;

/** The frame and the axes' ranges; also tells a pointer's frequency. */
export class CtfAxes {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly high: number;
  readonly #range: [number, number];

  constructor(curves: AcquisitionCurves, view: CtfView) {
    const [side, foot] = view.axes ? [34, 34] : [4, 4];
    this.left = side;
    this.right = view.width - (view.axes ? 10 : 4);
    this.top = view.axes ? 8 : 4;
    this.bottom = view.height - foot;
    this.high = curves.frequency.at(-1) ?? 1;
    this.#range = valueRange(curves, view);
  }

  x(frequency: number): number {
    return this.left + (frequency / this.high) * (this.right - this.left);
  }

  y(value: number): number {
    const [low, high] = this.#range;
    const clipped = Math.max(low, Math.min(high, value));
    return this.bottom - ((clipped - low) / (high - low)) * (this.bottom - this.top);
  }

  get range(): readonly [number, number] {
    return this.#range;
  }

  frequencyAt(x: number): number {
    return ((x - this.left) / (this.right - this.left)) * this.high;
  }
}

/** Range of what is shown, beyond the steep start where the background fit has no hold. */
function valueRange(curves: AcquisitionCurves, view: CtfView): [number, number] {
  let [low, high] = [0, 0];
  for (const series of SERIES) {
    if (!view.shown.has(series)) continue;
    curves[series].forEach((value, i) => {
      if (value === null || (curves.frequency[i] ?? 0) < view.lowest) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    });
  }
  // one wild value must not flatten the rest: |CTF| ends at 1
  return [Math.max(low, -1), Math.min(Math.max(high, 0.2), 2) * HEADROOM];
}

interface Range {
  from: number;
  to: number;
}

/** One series between two frequencies, the one at either end included, so that parts meet. */
function line(
  context: CanvasRenderingContext2D,
  curves: AcquisitionCurves,
  axes: CtfAxes,
  series: Series,
  { from, to }: Range,
): void {
  const { frequency } = curves;
  let pen = false;
  context.beginPath();
  curves[series].forEach((value, i) => {
    const here = frequency[i];
    if (value === null || here === undefined || here < from || (frequency[i - 1] ?? 0) >= to) {
      pen = false;
      return;
    }
    if (pen) context.lineTo(axes.x(here), axes.y(value));
    else context.moveTo(axes.x(here), axes.y(value));
    pen = true;
  });
  context.stroke();
}

function drawAxes(context: CanvasRenderingContext2D, axes: CtfAxes, view: CtfView): void {
  const { style } = view;
  context.strokeStyle = style.axis;
  context.fillStyle = style.text;
  context.lineWidth = 1;
  context.font = style.font;
  context.beginPath();
  context.moveTo(axes.left, axes.top);
  context.lineTo(axes.left, axes.bottom + 0.5);
  context.lineTo(axes.right, axes.bottom + 0.5);
  context.stroke();
  context.textAlign = "right";
  context.textBaseline = "middle";
  const [low, high] = axes.range;
  for (const value of [0, 0.5, 1].filter((v) => v >= low && v <= high)) {
    context.fillText(String(value), axes.left - 6, axes.y(value));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  let last = Number.NEGATIVE_INFINITY;
  for (const resolution of RESOLUTION_TICKS) {
    const x = axes.x(1 / resolution);
    if (x > axes.right - 8 || x - last < 30) continue;
    last = x;
    context.beginPath();
    context.moveTo(x, axes.bottom);
    context.lineTo(x, axes.bottom + 4);
    context.stroke();
    context.fillText(String(resolution), x, axes.bottom + 6);
  }
  context.textAlign = "right";
  context.fillText("Å", axes.right, axes.bottom + 20);
}

/** Draw the curves; returns the axes for hit tests. */
export function drawCtf(context: CanvasRenderingContext2D, curves: AcquisitionCurves, view: CtfView): CtfAxes {
  const axes = new CtfAxes(curves, view);
  const { style } = view;
  if (view.axes) drawAxes(context, axes, view);
  if (view.resolution && 1 / view.resolution < axes.high) {
    const x = Math.round(axes.x(1 / view.resolution)) + 0.5;
    context.strokeStyle = style.mark;
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, axes.top);
    context.lineTo(x, axes.bottom);
    context.stroke();
    context.setLineDash([]);
  }
  context.lineJoin = "round";
  context.lineWidth = view.axes ? 1.6 : 1.25;
  for (const series of ["quality", "theory", "experimental"] as const) {
    if (!view.shown.has(series)) continue;
    context.strokeStyle = style[series];
    // |CTF| is not drawn where its rings are finer than its samples: what is seen there would be moiré
    const end = series === "theory" ? unresolvedFrom(curves) : Number.POSITIVE_INFINITY;
    const reach = Math.min(view.resolution ? 1 / view.resolution : Number.POSITIVE_INFINITY, end);
    line(context, curves, axes, series, { from: view.lowest, to: reach });
    // beyond what the fit reaches, theory and noise say little
    context.globalAlpha = BEYOND_ALPHA;
    line(context, curves, axes, series, { from: Math.max(view.lowest, reach), to: end });
    context.globalAlpha = 1;
  }
  return axes;
}
