// What the filter of a run is, behind a button above the gallery.

import filterIcon from "icon:filter-alt-outline";
import { h } from "./dom";
import { type Rule, type RuleMetric, sentence } from "./filter_rules";
import type { Verdict } from "./run_data";
import { count } from "./units";

export class FilterMenu {
  readonly node: HTMLDetailsElement;
  readonly #summary = h("summary", { class: "icon-button", "data-athena": "filter", "data-key": "f" });
  readonly #rules = h("ul", { "data-athena": "filter-rules" });
  readonly #hand = h("p", { class: "muted" });
  readonly #change = h("button", { type: "button", class: "link", "data-athena": "filter-change" }, "Change rules");

  /** `change` leads to where rules are made. */
  constructor(change: () => void) {
    // the svg comes from the bundled icon set, never from data
    this.#summary.innerHTML = filterIcon;
    this.#summary.dataset.tip = "Filter (f)";
    this.#summary.setAttribute("aria-label", "Filter");
    this.#change.addEventListener("click", () => {
      this.node.open = false;
      change();
    });
    const body = h("div", { class: "filter-body" }, h("strong", {}, "Filter"), this.#rules, this.#hand, this.#change);
    this.node = h("details", { class: "filter-menu" }, this.#summary, body);
    this.node.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.node.contains(event.relatedTarget as Node)) this.node.open = false;
    });
  }

  /** Open it and go to its first button. */
  open(): void {
    this.node.open = true;
    (this.#change.hidden ? this.#summary : this.#change).focus();
  }

  tell(
    rules: readonly Rule[],
    counts: Record<Verdict, number>,
    { metrics, mayChange }: { metrics: readonly RuleMetric[]; mayChange: boolean },
  ): void {
    this.#summary.setAttribute("aria-pressed", String(rules.length > 0));
    this.#rules.replaceChildren(
      ...(rules.length
        ? rules.map((rule) => h("li", {}, sentence(rule, metrics)))
        : [h("li", { class: "muted" }, "No rule is saved: every finished micrograph matches.")]),
    );
    this.#hand.textContent =
      `${count(counts.accepted)} accepted and ${count(counts.rejected)} rejected by hand: ` +
      "that goes before all rules.";
    this.#hand.hidden = counts.accepted + counts.rejected === 0;
    this.#change.hidden = !mayChange;
  }
}
