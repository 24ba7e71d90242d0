// Round numbers along an axis.

import { fixed } from "./units";

export interface Ticks {
  values: number[];
  /** Decimals that tell neighbours apart. */
  digits: number;
}

/** About `wanted` round numbers from low to high, no closer than `smallest`; two at least where that leaves room. */
export function ticks(low: number, high: number, wanted: number, smallest = 0): Ticks {
  let step = roundStep(Math.max((high - low) / Math.max(1, wanted), smallest, Number.MIN_VALUE));
  let values = multiples(step, low, high);
  // one number alone says nothing of the scale: from 0.5 to 8.6 it would be 5 and no other
  while (values.length < 2 && high > low) {
    const closer = roundStep(step / 2.5);
    if (closer < smallest * (1 - 1e-9)) break;
    step = closer;
    values = multiples(step, low, high);
  }
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** The smallest 1·2·5 × 10ⁿ not below `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  return ([1, 2, 5, 10].find((n) => n * power >= rough * (1 - 1e-9)) ?? 10) * power;
}

function multiples(step: number, low: number, high: number): number[] {
  const values: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) values.push(n * step);
  return values;
}

export const tickText = (value: number, digits: number): string => fixed(value, digits);
