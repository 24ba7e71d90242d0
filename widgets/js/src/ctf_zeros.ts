// Where the fitted CTF is zero in a spectrum, in every direction, from its theoretical curve and its astigmatism.

import type { AcquisitionCurves } from "./api.gen";

/** Samples of the curve between two zeros below which they are not told apart. */
const CLOSEST_SAMPLES = 3;

export interface Astigmatism {
  /** Mean defocus and U − V, Å. */
  defocus: number;
  difference: number;
  /** Of U, rad, counter-clockwise from x with y up. */
  angle: number;
  /** ½ Cs λ², Å: what the spherical aberration takes off the defocus for each Å⁻² of frequency squared. */
  aberration: number;
}

/** Relativistic wavelength of electrons, Å, from their acceleration voltage in kV (Reimer & Kohl 2008, eq. 2.5). */
export function wavelength(kilovolt: number): number {
  const volt = kilovolt * 1e3;
  return 12.2643 / Math.sqrt(volt * (1 + 0.978476e-6 * volt));
}

/**
 * Frequencies (Å⁻¹) of the zeros of the curve of mean defocus, rising. |CTF| falls to each in a straight line and rises
 * in another, so that the lowest sample and its lower neighbour tell where between them it lies.
 */
export function curveZeros(curves: AcquisitionCurves): number[] {
  return resolvedZeros(curves).zeros;
}

/** Frequency from which on the rings lie too close to be drawn by the curve's samples; infinite where none do. */
export function unresolvedFrom(curves: AcquisitionCurves): number {
  return resolvedZeros(curves).end;
}

function resolvedZeros(curves: AcquisitionCurves): { zeros: number[]; end: number } {
  const { frequency, theory } = curves;
  const zeros: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < theory.length - 1; i++) {
    const [before, here, after] = [theory[i - 1], theory[i], theory[i + 1]];
    const at = frequency[i];
    if (typeof before !== "number" || typeof here !== "number" || typeof after !== "number" || at === undefined)
      continue;
    if (here > before || here >= after) continue;
    if (i - last < CLOSEST_SAMPLES) return { zeros, end: zeros.at(-1) ?? 0 };
    last = i;
    const [other, value] = before < after ? [frequency[i - 1], before] : [frequency[i + 1], after];
    zeros.push(at + (((other ?? at) - at) * here) / (here + value || 1));
  }
  return { zeros, end: Number.POSITIVE_INFINITY };
}

/**
 * Frequency at an azimuth (rad) where the phase is that of the mean defocus at `frequency`: the solution of
 * k² (d(θ) − a k²) = g² (d − a g²) nearest to g; undefined where that direction never reaches the phase.
 */
export function samePhase(frequency: number, azimuth: number, astigmatism: Astigmatism): number | undefined {
  const { defocus, difference, angle, aberration } = astigmatism;
  const local = defocus + (difference / 2) * Math.cos(2 * (azimuth - angle));
  const g2 = frequency ** 2;
  const phase = g2 * (defocus - aberration * g2);
  if (aberration === 0) return local > 0 ? Math.sqrt(phase / local) : undefined;
  const root = local ** 2 - 4 * aberration * phase;
  if (root < 0) return undefined;
  // of the two solutions the one before or after the phase turns, as g lies before or after its own turn
  const before = 2 * aberration * g2 <= defocus;
  const k2 = (local + (before ? -1 : 1) * Math.sqrt(root)) / (2 * aberration);
  return k2 > 0 ? Math.sqrt(k2) : undefined;
}
