// Rules of a run's filter, held against numbers as the server does it: a metric that is not there matches no rule.

import type { FilterRule } from "./api.gen";
import { METRICS, type MetricName } from "./catalogue.gen";
import { fixed, type Value } from "./units";

export type Rule = FilterRule;

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

const SIGNS: Record<string, string> = { "<=": "≤", ">=": "≥" };

/** A bound with the decimals of its metric, or with all it has where it has more. */
function bound(value: number, digits: number): string {
  const rounded = fixed(value, digits);
  return Number(value.toFixed(digits)) === value ? rounded : String(value);
}

/** A rule as people read it: `CTF resolution ≤ 4.0 Å`. */
export function sentence(rule: Rule): string {
  const metric = METRICS[rule.metric as MetricName] as { label: string; unit: string; digits: number } | undefined;
  const digits = metric?.digits ?? 3;
  const sign = SIGNS[rule.operator] ?? rule.operator;
  const bounds = [rule.value, ...(typeof rule.upper === "number" ? [rule.upper] : [])];
  const said = bounds.map((value) => bound(value, digits)).join(" and ");
  return `${metric?.label ?? rule.metric} ${sign} ${said}${metric?.unit ? `\u2009${metric.unit}` : ""}`;
}
