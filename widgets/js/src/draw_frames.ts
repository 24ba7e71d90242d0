// How far the specimen moved from each frame to the next, as bars.

import type { AcquisitionCurves } from "./api.gen";
import type { CtfStyle } from "./draw_ctf";
import { niceBelow } from "./units";

const [LEFT, BOTTOM, TOP] = [34, 18, 6];

/** Length of the step into each frame but the first, Å. */
export function steps(curves: AcquisitionCurves): number[] {
  const path = curves.global_motion;
  return path.slice(1).map((point, i) => {
    const before = path[i] ?? point;
    return Math.hypot(point[0] - before[0], point[1] - before[1]);
  });
}

export function drawFrameDrift(
  context: CanvasRenderingContext2D,
  curves: AcquisitionCurves,
  { width, height, style }: { width: number; height: number; style: CtfStyle },
): void {
  const bars = steps(curves);
  if (bars.length === 0) return;
  const highest = Math.max(...bars, 1e-3);
  const [right, floor] = [width - 8, height - BOTTOM];
  const y = (value: number): number => floor - (value / (highest * 1.05)) * (floor - TOP);
  context.font = style.font;
  context.fillStyle = style.text;
  context.strokeStyle = style.axis;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const tick = niceBelow(highest);
  for (const value of [0, tick]) {
    context.fillText(String(Number(value.toPrecision(2))), LEFT - 6, y(value));
    context.beginPath();
    context.moveTo(LEFT, Math.round(y(value)) + 0.5);
    context.lineTo(right, Math.round(y(value)) + 0.5);
    context.stroke();
  }
  const pitch = (right - LEFT) / bars.length;
  context.fillStyle = style.experimental;
  bars.forEach((value, i) => {
    context.fillRect(LEFT + i * pitch + pitch * 0.1, y(value), Math.max(1, pitch * 0.8), floor - y(value));
  });
  context.fillStyle = style.text;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText("frame 2", LEFT, floor + 5);
  context.textAlign = "right";
  context.fillText(String(bars.length + 1), right, floor + 5);
  context.fillText("Å", LEFT - 18, floor + 5);
}
