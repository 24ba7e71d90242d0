// The charts of one metric on their canvases.

import { type Band, type ChartStyle, inView, type Shared } from "./chart_types";
import type { Distribution } from "./distribution";
import { leftOut, type Rule } from "./filter_rules";
import { drawPoints, MOST_POINTS } from "./point_raster";
import type { RowLayout } from "./row_layout";
import { ticks, tickText } from "./ticks";
import { count } from "./units";

/** Up to so many points are drawn round and large. */
const FEW = 2_000;
const MOST_MARKS = 3_000;

/** A row as it is drawn. */
export interface Chart {
  context: CanvasRenderingContext2D;
  layout: RowLayout;
  values: Float64Array;
  spread: Distribution;
  /** Of the counts of `spread`, those that are kept. */
  inside: Uint32Array;
  rules: readonly Rule[];
}

/** Draw everything but what follows the pointer. */
export function drawRow(chart: Chart, shared: Shared): void {
  chart.context.font = shared.style.font;
  frame(chart, shared);
  if (chart.spread.total === 0) return;
  zones(chart, shared.style);
  points(chart, shared);
  marks(chart, shared);
  bars(chart, shared.style);
  middle(chart, shared.style);
}

function frame({ context, layout, spread }: Chart, { style, span, total }: Shared): void {
  const [series, side] = [layout.series, layout.side];
  context.strokeStyle = style.line;
  context.fillStyle = style.muted;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const values = ticks(...layout.range, 4);
  context.beginPath();
  for (const value of spread.total > 0 ? values.values : []) {
    const y = Math.round(layout.y(value)) + 0.5;
    context.moveTo(series.left, y);
    context.lineTo(series.right, y);
    context.moveTo(side.left, y);
    context.lineTo(side.right, y);
    context.fillText(tickText(value, values.digits), series.left - 6, y);
  }
  context.moveTo(series.left, series.bottom + 0.5);
  context.lineTo(series.right, series.bottom + 0.5);
  context.moveTo(side.left, side.bottom + 0.5);
  context.lineTo(side.right, side.bottom + 0.5);
  context.stroke();
  context.textBaseline = "top";
  context.textAlign = "center";
  const places = ticks(Math.max(1, span.start), Math.min(total, span.end), (series.right - series.left) / 110, 1);
  for (const place of places.values) {
    const x = layout.x(place, span);
    // the last one stays clear of the first one of the distribution
    context.textAlign = x > series.right - 16 ? "right" : "center";
    context.fillText(count(place), Math.min(x, series.right), series.bottom + 5);
  }
}

function zones({ context, layout, rules }: Chart, style: ChartStyle): void {
  const found = leftOut(rules, layout.range);
  if (found.length === 0) return;
  const { left, top, bottom } = layout.series;
  const { right } = layout.side;
  context.save();
  for (const [low, high] of found) {
    const [upper, lower] = [Math.max(top, layout.y(high)), Math.min(bottom, layout.y(low))];
    context.globalAlpha = 0.09;
    context.fillStyle = style.warning;
    context.fillRect(left, upper, right - left, lower - upper);
    context.globalAlpha = 0.6;
    for (const [edge, end] of [
      [upper, top],
      [lower, bottom],
    ] as const) {
      if (Math.abs(edge - end) > 0.5) context.fillRect(left, Math.round(edge), right - left, 1);
    }
  }
  context.restore();
}

function points(chart: Chart, shared: Shared): void {
  const { context, layout, values } = chart;
  const { first, last } = inView(shared);
  const { left, right, top, bottom } = layout.series;
  if (right - left < 10) return;
  if (last - first <= FEW) return dots(chart, shared, first, last);
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round((right - left) * ratio), Math.round((bottom - top) * ratio)];
  const { start, end } = shared.span;
  const scale = width / (end - start);
  const image = drawPoints(values, shared, {
    width,
    height,
    first,
    last,
    x: (index) => (index + 1 - start) * scale,
    low: layout.range[0],
    high: layout.range[1],
    edge: Math.max(1, Math.round((last - first > MOST_POINTS / 2 ? 2 : 3) * ratio)),
    style: shared.style.raster,
  });
  const picture = new OffscreenCanvas(width, height);
  picture.getContext("2d")?.putImageData(image, 0, 0);
  context.drawImage(picture, left, top, right - left, bottom - top);
}

function dots({ context, layout, values }: Chart, shared: Shared, first: number, last: number): void {
  const { style, kept, chosen, span } = shared;
  const radius = last - first > FEW / 4 ? 2 : 2.75;
  const layer = (colour: string, alpha: number, size: number, wanted: (index: number) => boolean): void => {
    context.fillStyle = colour;
    context.globalAlpha = alpha;
    context.beginPath();
    for (let i = first; i < last; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value) || !wanted(i)) continue;
      const [x, y] = [layout.x(i + 1, span), layout.y(value)];
      context.moveTo(x + size, y);
      context.arc(x, y, size, 0, 2 * Math.PI);
    }
    context.fill();
  };
  layer(style.out, 0.75, radius, (i) => !kept[i]);
  layer(style.kept, 0.9, radius, (i) => kept[i] === 1);
  if (chosen) {
    layer(style.text, 1, radius + 1.5, (i) => chosen[i] === 1);
    layer(style.kept, 1, radius, (i) => chosen[i] === 1);
  }
  context.globalAlpha = 1;
}

/** What was judged by hand: a ring is accepted, a cross rejected. */
function marks({ context, layout, values }: Chart, shared: Shared): void {
  const { first, last } = inView(shared);
  const { accepted, rejected, span, style } = shared;
  const each = (indices: readonly number[], colour: string, mark: (x: number, y: number) => void): void => {
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    let left = MOST_MARKS;
    for (const index of indices) {
      const value = values[index];
      if (index < first || index >= last || value === undefined || !Number.isFinite(value) || left-- <= 0) continue;
      mark(layout.x(index + 1, span), layout.y(value));
    }
    context.stroke();
  };
  each(accepted, style.accepted, (x, y) => {
    context.moveTo(x + 4.5, y);
    context.arc(x, y, 4.5, 0, 2 * Math.PI);
  });
  each(rejected, style.rejected, (x, y) => {
    context.moveTo(x - 3.5, y - 3.5);
    context.lineTo(x + 3.5, y + 3.5);
    context.moveTo(x - 3.5, y + 3.5);
    context.lineTo(x + 3.5, y - 3.5);
  });
  context.lineWidth = 1;
}

function bars({ context, layout, spread, inside }: Chart, style: ChartStyle): void {
  const { edges, counts } = spread;
  const highest = counts.reduce((most, one) => Math.max(most, one), 1);
  const { left, right, bottom } = layout.side;
  const scale = (right - left) / highest;
  const bar = (bin: number, length: number): void => {
    const [upper, lower] = [layout.y(edges[bin + 1] as number), layout.y(edges[bin] as number)];
    if (length > 0) context.fillRect(left, upper + 0.5, Math.max(1, length * scale), Math.max(1, lower - upper - 1));
  };
  context.fillStyle = style.out;
  context.globalAlpha = 0.75;
  counts.forEach((length, bin) => {
    bar(bin, length);
  });
  context.globalAlpha = 1;
  context.fillStyle = style.kept;
  inside.forEach((length, bin) => {
    bar(bin, length);
  });
  context.fillStyle = style.muted;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const value of ticks(0, highest, 3, 1).values) {
    const x = left + value * scale;
    context.textAlign = value === 0 ? "left" : x > right - 16 ? "right" : "center";
    context.fillText(count(value), x, bottom + 5);
  }
}

function middle({ context, layout, spread }: Chart, style: ChartStyle): void {
  const [series, side] = [layout.series, layout.side];
  const y = Math.round(layout.y(spread.median)) + 0.5;
  context.strokeStyle = style.muted;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(series.left, y);
  context.lineTo(series.right, y);
  context.moveTo(side.left, y);
  context.lineTo(side.right, y);
  context.stroke();
  context.setLineDash([]);
}

export function drawBand(
  context: CanvasRenderingContext2D,
  layout: RowLayout,
  { from, to, across, along }: Band,
  style: ChartStyle,
): void {
  const [series, side] = [layout.series, layout.side];
  const clip = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
  const xs = [from.x, to.x].map((x) => clip(x, series.left, series.right)).sort((a, b) => a - b) as [number, number];
  const ys = [from.y, to.y].map((y) => clip(y, series.top, series.bottom)).sort((a, b) => a - b) as [number, number];
  const [left, right] = across ? xs : [series.left, side.right];
  const [top, bottom] = along ? ys : [series.top, series.bottom];
  context.fillStyle = context.strokeStyle = style.accent;
  context.globalAlpha = 0.16;
  context.fillRect(left, top, right - left, bottom - top);
  context.globalAlpha = 0.9;
  context.lineWidth = 1;
  context.strokeRect(Math.round(left) + 0.5, Math.round(top) + 0.5, right - left, bottom - top);
}

/** Where the cursor is: a line, and a ring around the point. */
export function drawCursor(
  context: CanvasRenderingContext2D,
  layout: RowLayout,
  values: Float64Array,
  shared: Shared,
): void {
  const { left, right, top, bottom } = layout.series;
  const { cursor, span, style } = shared;
  const place = layout.x(cursor + 1, span);
  if (cursor >= 0 && cursor < shared.total && place >= left - 1 && place <= right + 1) {
    context.strokeStyle = style.muted;
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(Math.round(place) + 0.5, top);
    context.lineTo(Math.round(place) + 0.5, bottom);
    context.stroke();
    context.globalAlpha = 1;
    const value = values[cursor];
    if (value !== undefined && Number.isFinite(value)) {
      context.lineWidth = 2;
      context.strokeStyle = style.text;
      context.beginPath();
      context.arc(place, layout.y(value), 5, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
