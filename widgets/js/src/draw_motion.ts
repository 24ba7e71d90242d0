// Motion traces on a canvas: one per patch at its place, and the mean of all.

import type { AcquisitionCurves } from "./api.gen";

type Pair = readonly [number, number] | readonly number[];

export interface MotionStyle {
  trace: string;
  mean: string;
  start: string;
}

/** Where the image lies on the canvas, CSS pixels. */
export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const FILL = 0.8;

/** Farthest any trace gets from its start, Å. */
export function reach(curves: AcquisitionCurves): number {
  let farthest = 0;
  for (const trace of [curves.global_motion, ...curves.patch_motion]) {
    const start = trace[0];
    if (!start) continue;
    for (const point of trace) farthest = Math.max(farthest, Math.hypot(point[0] - start[0], point[1] - start[1]));
  }
  return farthest;
}

/** Screen pixels per Å at which the longest trace just fills its patch's share of the frame. */
export function autoScale(curves: AcquisitionCurves, frame: Frame): number {
  const columns = Math.max(1, Math.round(Math.sqrt(curves.patch_centres.length)));
  const cell = Math.min(frame.width, frame.height) / columns;
  const farthest = reach(curves);
  return farthest > 0 ? (FILL * cell) / farthest : 1;
}

function trace(context: CanvasRenderingContext2D, points: readonly Pair[], x: number, y: number, scale: number): void {
  const start = points[0];
  if (!start || points.length < 2) return;
  context.beginPath();
  for (const [i, point] of points.entries()) {
    const px = x + ((point[0] ?? 0) - (start[0] ?? 0)) * scale;
    const py = y - ((point[1] ?? 0) - (start[1] ?? 0)) * scale; // Å count upwards
    if (i === 0) context.moveTo(px, py);
    else context.lineTo(px, py);
  }
  context.stroke();
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

/** Draw all traces at `scale` screen pixels per Å, each starting at its patch's centre, the mean at the middle. */
export function drawMotion(
  context: CanvasRenderingContext2D,
  curves: AcquisitionCurves,
  { frame, scale, style }: { frame: Frame; scale: number; style: MotionStyle },
): void {
  context.lineJoin = "round";
  context.lineCap = "round";
  context.lineWidth = 1.25;
  context.strokeStyle = style.trace;
  curves.patch_motion.forEach((points, i) => {
    const centre = curves.patch_centres[i];
    if (!centre) return;
    const [x, y] = [frame.x + centre[0] * frame.width, frame.y + (1 - centre[1]) * frame.height];
    trace(context, points, x, y, scale);
    dot(context, x, y, 1.5, style.start);
  });
  const [x, y] = [frame.x + frame.width / 2, frame.y + frame.height / 2];
  context.lineWidth = 2.25;
  context.strokeStyle = style.mean;
  trace(context, curves.global_motion, x, y, scale);
  if (curves.global_motion.length > 1) dot(context, x, y, 2.5, style.mean);
}
