// Which metrics have charts.

import type { ChartMetric } from "./chart_types";
import { h } from "./dom";

export class ChartsMenu {
  readonly #items = h("div", { class: "menu-items", role: "group", "aria-label": "Charts" });
  readonly node = h(
    "details",
    { class: "menu-of", "data-athena": "charts-menu" },
    h("summary", { class: "action" }, "Charts ▾"),
    this.#items,
  );
  readonly #chosen: (names: string[]) => void;
  #boxes = new Map<string, HTMLInputElement>();

  /** `chosen(names)` is told of metrics that shall have charts; none: those that have one unasked. */
  constructor(chosen: (names: string[]) => void) {
    this.#chosen = chosen;
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.node.open = false;
    });
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(event.relatedTarget as Node | null)) this.node.open = false;
    });
  }

  /** The boxes stay as long as the metrics do: the one in focus is among them. */
  show(metrics: readonly ChartMetric[], shown: readonly ChartMetric[]): void {
    if (metrics.map((one) => one.name).join() !== [...this.#boxes.keys()].join()) this.#build(metrics);
    const names = new Set(shown.map((one) => one.name));
    for (const [name, box] of this.#boxes) box.checked = names.has(name);
  }

  #build(metrics: readonly ChartMetric[]): void {
    this.#boxes = new Map(metrics.map((metric) => [metric.name, this.#box(metric.name)]));
    const standard = h(
      "button",
      { type: "button", class: "link", "data-athena": "charts-standard" },
      "Standard charts",
    );
    standard.addEventListener("click", () => this.#chosen([]));
    const labels = metrics.map(({ name, label }) => h("label", {}, this.#boxes.get(name), label));
    this.#items.replaceChildren(...labels, standard);
  }

  #box(name: string): HTMLInputElement {
    const box = h("input", { type: "checkbox", name, "data-athena": `chart-of-${name}` });
    box.addEventListener("change", () => {
      const chosen = [...this.#boxes].filter(([, one]) => one.checked).map(([one]) => one);
      // one chart is always there: none would be the standard ones again
      if (chosen.length > 0) this.#chosen(chosen);
      else box.checked = true;
    });
    return box;
  }
}
