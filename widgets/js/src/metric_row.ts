// One metric of a run: its values over the acquisitions at the left, how they are distributed at the right.

import { type Band, type ChartMetric, inView, type Shared } from "./chart_types";
import { count as addCounts, type Distribution, distribution } from "./distribution";
import { h, prepareCanvas } from "./dom";
import { drawBand, drawCursor, drawRow } from "./draw_row";
import type { Rule } from "./filter_rules";
import { RowLayout } from "./row_layout";
import { count, fixed, withUnit } from "./units";

const PAD = 0.06;
/** How far from a point a pointer may be, px. */
const REACH = 12;

export class MetricRow {
  readonly node: HTMLElement;
  readonly canvas = h("canvas", { class: "chart" });
  readonly over: HTMLCanvasElement;
  readonly tip = h("div", { class: "point-tip", role: "status", "data-athena": "point-tip", hidden: true });
  readonly metric: ChartMetric;
  readonly layout = new RowLayout();
  #median = h("span", { class: "muted", "data-athena": "median" });
  #values: Float64Array = new Float64Array(0);
  #spread: Distribution = distribution(this.#values);
  #inside = new Uint32Array(0);
  #rules: Rule[] = [];
  #stale = true;

  constructor(metric: ChartMetric) {
    this.metric = metric;
    this.over = h("canvas", {
      class: "chart over",
      tabindex: 0,
      role: "slider",
      "data-athena": "chart",
      "aria-label": `${metric.label} of each micrograph`,
      "aria-valuemin": 1,
      "aria-valuemax": 1,
      "aria-valuenow": 1,
    });
    this.node = h(
      "section",
      { class: "metric", "data-athena": "metric", "data-metric": metric.name, "aria-label": metric.label },
      h(
        "div",
        { class: "metric-head" },
        h("strong", {}, metric.label),
        metric.unit ? h("span", { class: "muted" }, metric.unit) : null,
        this.#median,
      ),
      h("div", { class: "plot" }, this.canvas, this.over, this.tip),
    );
  }

  get values(): Float64Array {
    return this.#values;
  }

  /** Take the values of all acquisitions; they are counted once the row is drawn. */
  fill(values: Float64Array): void {
    this.#values = values;
    this.#stale = true;
  }

  shade(rules: readonly Rule[]): void {
    this.#rules = rules.filter((rule) => rule.metric === this.metric.name);
  }

  #renew(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#spread = distribution(this.#values);
    const { edges, median, total } = this.#spread;
    if (total > 0) {
      const [low, high] = [edges[0] as number, edges.at(-1) as number];
      this.layout.range = [low - PAD * (high - low), high + PAD * (high - low)];
    }
    const { digits, unit } = this.metric;
    const said = total > 0 ? `median ${withUnit(fixed(median, digits), unit)}` : "no value";
    this.#median.textContent = said;
  }

  /** The acquisition whose point is nearest to a pixel; −1 where none is near. */
  nearest(x: number, y: number, shared: Shared): number {
    const { first, last } = inView(shared);
    const [from, to] = [
      this.layout.placeAt(x - REACH, shared.span) - 1,
      this.layout.placeAt(x + REACH, shared.span) - 1,
    ];
    let [found, best] = [-1, REACH * REACH];
    for (let i = Math.max(first, Math.floor(from)); i < Math.min(last, to + 1); i++) {
      const value = this.#values[i] as number;
      if (!Number.isFinite(value)) continue;
      const distance = (this.layout.x(i + 1, shared.span) - x) ** 2 + (this.layout.y(value) - y) ** 2;
      if (distance < best) [found, best] = [i, distance];
    }
    return found;
  }

  /** What the bin of the distribution under a pixel holds, in words. */
  binAt(y: number): string {
    const { edges, counts, total } = this.#spread;
    if (total === 0) return "";
    const value = this.layout.valueAt(y);
    const [low, high] = [edges[0] as number, edges.at(-1) as number];
    if (value < low || value > high) return "";
    const bin = Math.min(counts.length - 1, Math.floor(((value - low) / (high - low)) * counts.length));
    const { digits, unit } = this.metric;
    const bounds = `${fixed(edges[bin], digits)} – ${withUnit(fixed(edges[bin + 1], digits), unit)}`;
    return `${bounds}\n${count(this.#inside[bin] ?? 0)} of ${count(counts[bin] ?? 0)} micrographs`;
  }

  /** Draw everything but what follows the pointer. */
  draw(shared: Shared): void {
    this.#renew();
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    Object.assign(this.layout, { width, height });
    this.over.setAttribute("aria-valuemax", String(Math.max(1, shared.total)));
    this.#inside = new Uint32Array(this.#spread.counts.length);
    if (this.#spread.total > 0) addCounts(this.#values, this.#spread.edges, this.#inside, shared.kept);
    const context = prepareCanvas(this.canvas, width, height);
    const [values, spread, inside, rules] = [this.#values, this.#spread, this.#inside, this.#rules];
    drawRow({ context, layout: this.layout, values, spread, inside, rules }, shared);
    this.drawOver(shared);
  }

  /** Draw what follows the pointer: the place of the cursor, and a drag. */
  drawOver(shared: Shared, band?: Band): void {
    const { width, height } = this.layout;
    if (width === 0) return;
    const context = prepareCanvas(this.over, width, height);
    drawCursor(context, this.layout, this.#values, shared);
    if (band) drawBand(context, this.layout, band, shared.style);
  }

  /** Say what is at the cursor; an empty text says nothing. */
  say(text: string, x: number, y: number): void {
    this.tip.hidden = text === "";
    if (!text) return;
    this.tip.textContent = text;
    const { width, height } = this.layout;
    const [w, tall] = [this.tip.offsetWidth, this.tip.offsetHeight];
    this.tip.style.left = `${x + 14 + w > width ? Math.max(0, x - 14 - w) : x + 14}px`;
    this.tip.style.top = `${Math.min(height - tall, Math.max(0, y - tall / 2))}px`;
  }

  /** Where the point of an acquisition is, px. */
  pointAt(index: number, shared: Shared): { x: number; y: number } {
    const value = this.#values[index] ?? Number.NaN;
    return {
      x: this.layout.x(index + 1, shared.span),
      y: Number.isFinite(value) ? this.layout.y(value) : this.layout.series.top,
    };
  }
}
