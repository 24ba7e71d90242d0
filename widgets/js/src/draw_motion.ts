// Motion traces on a canvas: one per patch at its place, and the mean of all.

import type { AcquisitionCurves } from "./api.gen";

type Pair = readonly [number, number] | readonly number[];

export interface MotionStyle {
  trace: string;
  mean: string;
}

/** Where the image lies on the canvas, CSS pixels. */
export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const FILL = 0.8;

interface Extent {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Smallest box around a trace, Å: centre and size. */
function extent(points: readonly Pair[]): Extent {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const point of points) {
    const [x, y] = [point[0] ?? 0, point[1] ?? 0];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [low, high] = [Math.min(low, y), Math.max(high, y)];
  }
  return { x: (left + right) / 2, y: (low + high) / 2, width: right - left, height: high - low };
}

/** Screen pixels per Å at which the largest trace just fills its patch's share of the frame. */
export function autoScale(curves: AcquisitionCurves, frame: Frame): number {
  const columns = Math.max(1, Math.round(Math.sqrt(curves.patch_centres.length)));
  const cell = Math.min(frame.width, frame.height) / columns;
  let largest = 0;
  for (const points of [curves.global_motion, ...curves.patch_motion]) {
    if (points.length < 2) continue;
    const { width, height } = extent(points);
    largest = Math.max(largest, width, height);
  }
  return largest > 0 ? (FILL * cell) / largest : 1;
}

/** Draw a trace with the middle of its extent at (x, y): one that starts there would leave the frame at its edges. */
function trace(
  context: CanvasRenderingContext2D,
  points: readonly Pair[],
  { x, y, scale, start }: { x: number; y: number; scale: number; start: { radius: number; colour: string } },
): void {
  if (points.length < 2) return;
  const middle = extent(points);
  context.beginPath();
  for (const [i, point] of points.entries()) {
    const px = x + ((point[0] ?? 0) - middle.x) * scale;
    const py = y - ((point[1] ?? 0) - middle.y) * scale; // Å count upwards
    if (i === 0) context.moveTo(px, py);
    else context.lineTo(px, py);
  }
  context.stroke();
  const [first] = points;
  const [sx, sy] = [(first?.[0] ?? 0) - middle.x, (first?.[1] ?? 0) - middle.y];
  dot(context, x + sx * scale, y - sy * scale, start.radius, start.colour);
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

/** Draw all traces at `scale` screen pixels per Å, each at its patch's centre, the mean in the middle; dots are starts. */
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
    trace(context, points, { x, y, scale, start: { radius: 1.75, colour: style.trace } });
  });
  const [x, y] = [frame.x + frame.width / 2, frame.y + frame.height / 2];
  context.lineWidth = 2.25;
  context.strokeStyle = style.mean;
  trace(context, curves.global_motion, { x, y, scale, start: { radius: 3, colour: style.mean } });
}
