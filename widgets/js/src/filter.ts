// Rules of a filter as the server applies them (athena.domain.filters), so that charts follow without asking it.

export const OPERATORS = ["<=", ">=", "<", ">", "between", "outside"] as const;
export type Operator = (typeof OPERATORS)[number];

/** One rule, as the contract's `FilterRule`. */
export interface Rule {
  metric: string;
  operator: Operator;
  value: number;
  upper?: number | null;
}

export const takesTwo = (operator: Operator): boolean => operator === "between" || operator === "outside";

/** What hand and rules say of every acquisition. */
export interface Verdicts {
  accepted: ArrayLike<number>;
  rejected: ArrayLike<number>;
}

/** Whether a value matches a rule; NaN compares to nothing: what is not known matches none. */
function test({ operator, value, upper }: Rule): (one: number) => boolean {
  const high = upper ?? value;
  const tests: Record<Operator, (one: number) => boolean> = {
    "<": (one) => one < value,
    "<=": (one) => one <= value,
    ">": (one) => one > value,
    ">=": (one) => one >= value,
    between: (one) => one >= value && one <= high,
    outside: (one) => one < value || one > high,
  };
  return tests[operator];
}

function drop(kept: Uint8Array, values: Float64Array, rule: Rule): void {
  const matching = test(rule);
  for (let i = 0; i < kept.length; i++) if (!matching(values[i] as number)) kept[i] = 0;
}

/** 1 for each acquisition that matches all rules, or was accepted by hand, and was not rejected. */
export function matches(
  rules: readonly Rule[],
  values: (metric: string) => Float64Array | undefined,
  { total, accepted, rejected }: Verdicts & { total: number },
): Uint8Array {
  const kept = new Uint8Array(total).fill(1);
  for (const rule of rules) {
    const column = values(rule.metric);
    if (column) drop(kept, column, rule);
    else kept.fill(0);
  }
  for (let i = 0; i < accepted.length; i++) if ((accepted[i] as number) < total) kept[accepted[i] as number] = 1;
  for (let i = 0; i < rejected.length; i++) if ((rejected[i] as number) < total) kept[rejected[i] as number] = 0;
  return kept;
}

export type Interval = readonly [low: number, high: number];

/** Intervals of low … high that any of the rules on one metric leaves out, from below, none overlapping another. */
export function leftOut(rules: readonly Rule[], [low, high]: Interval): Interval[] {
  const found: [number, number][] = [];
  for (const { operator, value, upper } of rules) {
    const end = upper ?? value;
    if (operator === "<" || operator === "<=") found.push([value, high]);
    else if (operator === ">" || operator === ">=") found.push([low, value]);
    else if (operator === "between") found.push([low, value], [end, high]);
    else found.push([value, end]);
  }
  const inside = found.map(([a, b]): [number, number] => [Math.max(low, a), Math.min(high, b)]);
  const merged: [number, number][] = [];
  for (const [start, stop] of inside.sort((a, b) => a[0] - b[0])) {
    if (stop <= start) continue;
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(stop, last[1]);
    else merged.push([start, stop]);
  }
  return merged;
}
