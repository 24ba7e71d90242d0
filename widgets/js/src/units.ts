// Numbers as people read them: value, thin space, unit in muted colour. Digits and units come from the catalogue.

import { METRICS, type MetricName } from "./catalogue.gen";
import { h } from "./dom";

const THIN = "\u2009";
const NOTHING = "–";

export type Value = number | null | undefined;

const known = (value: Value): value is number => value !== null && value !== undefined && Number.isFinite(value);

/** Fixed digits, with a real minus sign and thin spaces between thousands. */
export function fixed(value: Value, digits: number): string {
  if (!known(value)) return NOTHING;
  const [whole = "", fraction] = Math.abs(value).toFixed(digits).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, THIN) : whole;
  const sign = value < 0 && Number(value.toFixed(digits)) !== 0 ? "−" : "";
  return sign + grouped + (fraction ? `.${fraction}` : "");
}

/** A metric's value without its unit. */
export const metricText = (name: MetricName, value: Value): string => fixed(value, METRICS[name].digits);

/** A number and its unit as text; degrees stand close. */
export const withUnit = (text: string, unit: string): string =>
  unit === "" || text === NOTHING ? text : text + (unit === "°" ? "" : THIN) + unit;

/** A metric as text with its unit, for tooltips and canvases. */
export const metricLabel = (name: MetricName, value: Value): string =>
  withUnit(metricText(name, value), METRICS[name].unit);

/** Number and muted unit. */
export function quantity(text: string, unit: string): HTMLElement {
  const gap = unit === "" || unit === "°" ? "" : THIN;
  return h("span", { class: "quantity" }, text, text === NOTHING ? null : h("span", { class: "unit" }, gap + unit));
}

/** A metric as a node: number and muted unit. */
export const metric = (name: MetricName, value: Value): HTMLElement =>
  quantity(metricText(name, value), METRICS[name].unit);

/** An angle mod 360 as an arrow, counter-clockwise from +x, y up. */
export function arrow(degrees: Value): string {
  if (!known(degrees)) return "";
  const arrows = ["→", "↗", "↑", "↖", "←", "↙", "↓", "↘"];
  return arrows[((Math.round(degrees / 45) % 8) + 8) % 8] ?? "";
}

const STEPS = [1, 2, 5];

/** The largest 1·2·5 × 10ⁿ not above `limit`. */
export function niceBelow(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit));
  const step = STEPS.filter((s) => s * power <= limit * (1 + 1e-9)).pop() ?? 1;
  return step * power;
}

/** A length given in Å, in the unit people use at that size. */
export function lengthLabel(angstrom: number): string {
  const [value, unit] =
    angstrom >= 10_000 ? [angstrom / 10_000, "µm"] : angstrom >= 10 ? [angstrom / 10, "nm"] : [angstrom, "Å"];
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return (
    fixed(value, digits)
      .replace(/(\.\d*?)0+$/, "$1")
      .replace(/\.$/, "") +
    THIN +
    unit
  );
}

/** Local time of day; the date and zone belong in a tooltip. */
export const clock = (unixSeconds: Value): string =>
  known(unixSeconds) ? new Date(unixSeconds * 1000).toLocaleTimeString([], { hour12: false }) : "";

export const fullTime = (unixSeconds: Value): string =>
  known(unixSeconds)
    ? new Date(unixSeconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" })
    : "";

/** A count with thin spaces. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, THIN);
