// Round numbers along an axis.

import { fixed } from "./units";

export interface Ticks {
  values: number[];
  /** Decimals that tell neighbours apart. */
  digits: number;
}

const FEWEST = 2;

/** About `wanted` round numbers from low to high, no closer than `smallest`; two where that leaves room: one is no scale. */
export function ticks(low: number, high: number, wanted: number, smallest = 0): Ticks {
  const found = rounded(low, high, wanted, smallest);
  return found.values.length < FEWEST && high > low ? rounded(low, high, 2 * wanted, smallest) : found;
}

function rounded(low: number, high: number, wanted: number, smallest: number): Ticks {
  const rough = Math.max((high - low) / Math.max(1, wanted), smallest, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((n) => n * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const values: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) values.push(n * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

export const tickText = (value: number, digits: number): string => fixed(value, digits);
