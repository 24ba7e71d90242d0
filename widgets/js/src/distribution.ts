// How values are distributed: the same bins as the quality report's (athena.domain.histogram).

const MOST_BINS = 48;
const FEWEST_BINS = 5;

export interface Distribution {
  /** One more than there are bins; empty when nothing is known. */
  edges: Float64Array;
  counts: Uint32Array;
  median: number;
  /** Known values. */
  total: number;
}

/** Linear between neighbours, as NumPy's percentile. */
function quantile(sorted: Float64Array, fraction: number): number {
  const at = (sorted.length - 1) * fraction;
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (at - below);
}

function known(values: Float64Array): Float64Array {
  const found = new Float64Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) found[n++] = value;
  }
  return found.subarray(0, n);
}

/** Equal bins over the known values; their number after Freedman and Diaconis (1981), between 5 and 48. */
export function distribution(values: Float64Array): Distribution {
  const sorted = known(values).sort();
  const total = sorted.length;
  if (total === 0) return { edges: new Float64Array(0), counts: new Uint32Array(0), median: Number.NaN, total };
  let [low, high] = [sorted[0] as number, sorted[total - 1] as number];
  if (high <= low) {
    const pad = Math.max(Math.abs(low) * 0.05, 1e-6);
    [low, high] = [low - pad, high + pad];
  }
  const width = (2 * (quantile(sorted, 0.75) - quantile(sorted, 0.25))) / Math.cbrt(total);
  const wanted = width > 0 ? Math.ceil((high - low) / width) : FEWEST_BINS;
  const bins = Math.min(Math.max(wanted, FEWEST_BINS), MOST_BINS);
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins);
  const counts = new Uint32Array(bins);
  count(values, edges, counts);
  return { edges, counts, median: quantile(sorted, 0.5), total };
}

/** Add the known values (those that `kept` says, if given) to the bins they fall in. */
export function count(values: Float64Array, edges: Float64Array, counts: Uint32Array, kept?: Uint8Array): void {
  const bins = counts.length;
  const low = edges[0] as number;
  const scale = bins / ((edges[bins] as number) - low);
  for (let i = 0; i < values.length; i++) {
    if (kept && !kept[i]) continue;
    const bin = Math.floor(((values[i] as number) - low) * scale);
    // NaN is in no bin; the highest value is in the last
    if (bin >= 0 && bin <= bins) tick(counts, Math.min(bin, bins - 1));
  }
}

/** One more. */
export function tick(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
}
