// The measured CTF curve as it is drawn small: averaged over a part of the ring that each sample lies in.

import type { AcquisitionCurves } from "./api.gen";
import { curveZeros } from "./ctf_zeros";

/** Share of the distance between two zeros that is averaged over: a peak of |CTF| loses 3 % of its height by it. */
const SHARE = 1 / 4;

/**
 * Experimental values, each the mean over a quarter of its ring: few pixels make noisy rings, and where rings are wide
 * that noise would hide them. Where they are too narrow for a mean, and where nothing is known, values stay as they are.
 */
export function ringAverage(curves: AcquisitionCurves): (number | null)[] {
  const { frequency, experimental } = curves;
  const zeros = curveZeros(curves);
  const step = (frequency[1] ?? 0) - (frequency[0] ?? 0);
  if (zeros.length < 2 || !(step > 0)) return [...experimental];
  let next = 0;
  return experimental.map((value, i) => {
    const here = frequency[i] ?? 0;
    while (next < zeros.length - 1 && here > (zeros[next] as number)) next++;
    // before the first zero and beyond the last as in the ring beside
    const upper = Math.max(1, next);
    const width = (zeros[upper] as number) - (zeros[upper - 1] as number);
    const reach = Math.floor((SHARE * width) / step / 2);
    if (value === null || reach < 1) return value;
    const known = experimental.slice(Math.max(0, i - reach), i + reach + 1).filter((one) => one !== null);
    return known.reduce((sum, one) => sum + one, 0) / known.length;
  });
}
