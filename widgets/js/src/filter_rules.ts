// Rules of a run's filter, held against numbers as the server does it: a metric that is not there matches no rule.

import type { FilterRule } from "./api.gen";
import { METRICS, type MetricName } from "./catalogue.gen";
import { fixed, type Value, withUnit } from "./units";

export type Rule = FilterRule;
export type Operator = Rule["operator"];
export const OPERATORS = ["<=", ">=", "<", ">", "between", "outside"] as const satisfies readonly Operator[];

export const takesTwo = (operator: Operator): boolean => operator === "between" || operator === "outside";

/** Whether a value satisfies a rule. */
export function satisfies(rule: Rule, value: Value): boolean {
  if (value === null || value === undefined || Number.isNaN(value)) return false;
  const upper = rule.upper ?? rule.value;
  switch (rule.operator) {
    case "<":
      return value < rule.value;
    case "<=":
      return value <= rule.value;
    case ">":
      return value > rule.value;
    case ">=":
      return value >= rule.value;
    case "between":
      return value >= rule.value && value <= upper;
    case "outside":
      return value < rule.value || value > upper;
  }
}

export const SIGNS: Record<string, string> = { "<=": "≤", ">=": "≥" };

/** A bound with the decimals of its metric, or with all it has where it has more. */
export function bound(value: number, digits: number): string {
  const rounded = fixed(value, digits);
  return Number(value.toFixed(digits)) === value ? rounded : String(value);
}

/** How people name a metric and read its values. */
export interface RuleMetric {
  name: string;
  label: string;
  unit: string;
  digits: number;
}

/** A rule as people read it: `CTF resolution ≤ 4.0 Å`. Of a metric that is not known, its own name says what it is. */
export function sentence(rule: Rule, metrics: readonly RuleMetric[] = []): string {
  const known = METRICS[rule.metric as MetricName] as Omit<RuleMetric, "name"> | undefined;
  const metric = metrics.find((one) => one.name === rule.metric) ?? known;
  const digits = metric?.digits ?? 3;
  const sign = SIGNS[rule.operator] ?? rule.operator;
  const bounds = [rule.value, ...(typeof rule.upper === "number" ? [rule.upper] : [])];
  const said = bounds.map((value) => bound(value, digits)).join(" and ");
  return `${metric?.label ?? rule.metric} ${sign} ${withUnit(said, metric?.unit ?? "")}`;
}

/** What hand and rules say of every acquisition. */
export interface Verdicts {
  accepted: ArrayLike<number>;
  rejected: ArrayLike<number>;
  /** Not there at all: they never match. */
  leftOut: ArrayLike<number>;
}

/** 1 for each acquisition that matches all rules, or was accepted by hand, and was not rejected. */
export function matches(
  rules: readonly Rule[],
  values: (metric: string) => Float64Array | undefined,
  { total, accepted, rejected, leftOut }: Verdicts & { total: number },
): Uint8Array {
  const kept = new Uint8Array(total).fill(1);
  for (const rule of rules) {
    const column = values(rule.metric);
    if (!column) kept.fill(0);
    else for (let i = 0; i < total; i++) if (!satisfies(rule, column[i])) kept[i] = 0;
  }
  for (let i = 0; i < accepted.length; i++) if ((accepted[i] as number) < total) kept[accepted[i] as number] = 1;
  for (let i = 0; i < rejected.length; i++) if ((rejected[i] as number) < total) kept[rejected[i] as number] = 0;
  for (let i = 0; i < leftOut.length; i++) if ((leftOut[i] as number) < total) kept[leftOut[i] as number] = 0;
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
