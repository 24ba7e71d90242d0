// What the charts of a run have in common.

import type { RasterStyle } from "./point_raster";

/** A metric that has a chart. */
export interface ChartMetric {
  name: string;
  label: string;
  unit: string;
  digits: number;
  /** Whether it has a chart unasked: in every run, only where its values differ, or never. */
  standard: "always" | "varies" | "asked";
}

export interface ChartStyle {
  raster: RasterStyle;
  text: string;
  muted: string;
  line: string;
  accent: string;
  warning: string;
  accepted: string;
  rejected: string;
  kept: string;
  out: string;
  font: string;
}

/** Acquisitions in view, as numbers on the axis: acquisition `index` lies at `index + 1`. */
export interface Span {
  start: number;
  end: number;
}

/** What all rows of a view share. */
export interface Shared {
  style: ChartStyle;
  span: Span;
  total: number;
  kept: Uint8Array;
  chosen: Uint8Array | undefined;
  accepted: readonly number[];
  rejected: readonly number[];
  /** Acquisition under the pointer or at the keyboard's place; −1 for none. */
  cursor: number;
}

/** A drag that goes on: values over the whole row, acquisitions, or a box of both. */
export interface Band {
  from: { x: number; y: number };
  to: { x: number; y: number };
  across: boolean;
  along: boolean;
}

/** First acquisition in view and the one after the last. */
export function inView({ span, total }: Shared): { first: number; last: number } {
  const first = Math.min(Math.max(0, Math.round(span.start - 0.5)), Math.max(0, total - 1));
  return { first, last: Math.max(Math.min(total, first + 1), Math.min(total, Math.round(span.end - 0.5))) };
}
