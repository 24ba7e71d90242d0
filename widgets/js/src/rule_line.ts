// The rules of a filter as sentences, and a way to add one.

import type { ChartMetric } from "./chart_types";
import { h } from "./dom";
import { bound, OPERATORS, type Operator, type Rule, SIGNS, takesTwo } from "./filter_rules";

const WORDS: Record<Operator, string> = {
  "<=": "at most ≤",
  ">=": "at least ≥",
  "<": "below <",
  ">": "above >",
  between: "between",
  outside: "outside",
};

/** A number as people type it; NaN for what is none. */
const typed = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", ".")));

export class RuleLine {
  readonly node = h("div", { class: "rules", "data-athena": "rules", role: "group", "aria-label": "Filter rules" });
  readonly #chips = h("span", { class: "chips" });
  readonly #none = h("span", { class: "muted" }, "Every micrograph matches. Drag over a chart, or add a rule.");
  readonly #problem = h("p", { class: "refused", role: "alert", "data-athena": "rule-problem", hidden: true });
  readonly #add = h("button", { type: "button", class: "link", "data-athena": "rule-add" }, "+ rule");
  readonly #changed: (rules: Rule[]) => void;
  #metrics: readonly ChartMetric[] = [];
  #rules: readonly Rule[] = [];
  #form: HTMLFormElement | undefined;

  constructor(changed: (rules: Rule[]) => void) {
    this.#changed = changed;
    this.#add.addEventListener("click", () => this.#open());
    this.node.append(this.#chips, this.#add, this.#none, this.#problem);
  }

  show(rules: readonly Rule[], metrics: readonly ChartMetric[]): void {
    this.#rules = rules;
    this.#metrics = metrics;
    this.#chips.replaceChildren(...rules.map((rule, at) => this.#chip(rule, at)));
    this.#arrange();
  }

  refuse(problem: string): void {
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === "";
  }

  #arrange(): void {
    this.#none.hidden = this.#rules.length > 0 || this.#form !== undefined;
    this.#add.hidden = this.#form !== undefined;
  }

  #chip(rule: Rule, at: number): HTMLElement {
    const metric = this.#metrics.find((one) => one.name === rule.metric);
    const digits = metric?.digits ?? 3;
    const label = metric?.label ?? rule.metric;
    const bounds = takesTwo(rule.operator)
      ? `${rule.operator} ${bound(rule.value, digits)} and ${bound(rule.upper ?? rule.value, digits)}`
      : `${SIGNS[rule.operator] ?? rule.operator} ${bound(rule.value, digits)}`;
    const remove = h(
      "button",
      {
        type: "button",
        class: "remove",
        title: "Delete this rule",
        "aria-label": `Delete the rule on ${label}`,
        "data-athena": "rule-remove",
      },
      "×",
    );
    remove.addEventListener("click", () => this.#changed(this.#rules.filter((_, number) => number !== at)));
    const unit = metric?.unit ? h("span", { class: "muted" }, ` ${metric.unit}`) : null;
    return h(
      "span",
      { class: "rule", "data-athena": "rule", "data-metric": rule.metric },
      h("strong", {}, label),
      ` ${bounds}`,
      unit,
      remove,
    );
  }

  #open(): void {
    const form = this.#build();
    this.#form = form;
    this.#add.after(form);
    this.#arrange();
    form.querySelector("select")?.focus();
  }

  #close(): void {
    this.#form?.remove();
    this.#form = undefined;
    this.refuse("");
    this.#arrange();
    this.#add.focus();
  }

  #build(): HTMLFormElement {
    const option = (value: string, text: string): HTMLOptionElement => h("option", { value }, text);
    const field = (name: string, hook: string): HTMLInputElement =>
      h("input", { class: "field number", inputmode: "decimal", "aria-label": name, "data-athena": hook });
    const metric = h("select", { class: "field", "aria-label": "Dimension", "data-athena": "rule-metric" });
    metric.append(...this.#metrics.map((one) => option(one.name, one.label)));
    const operator = h("select", { class: "field", "aria-label": "Operator", "data-athena": "rule-operator" });
    operator.append(...OPERATORS.map((one) => option(one, WORDS[one])));
    const [value, upper] = [field("Value", "rule-value"), field("Upper value", "rule-upper")];
    const [and, unit] = [h("span", { class: "muted" }, "and"), h("span", { class: "muted" })];
    const adapt = (): void => {
      upper.hidden = and.hidden = !takesTwo(operator.value as Operator);
      unit.textContent = this.#metrics.find((one) => one.name === metric.value)?.unit ?? "";
    };
    metric.addEventListener("change", adapt);
    operator.addEventListener("change", adapt);
    adapt();
    const cancel = h("button", { type: "button", class: "action" }, "Cancel");
    cancel.addEventListener("click", () => this.#close());
    const form = h("form", { class: "adding" }, metric, operator, value, and, upper, unit);
    form.append(h("button", { class: "action primary", "data-athena": "rule-add-go" }, "Add"), cancel);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = operator.value as Operator;
      const rule = { metric: metric.value, operator: wanted, value: typed(value.value), upper: null as number | null };
      if (takesTwo(wanted)) rule.upper = typed(upper.value);
      const problem = refusal(rule, value.value, upper.value);
      this.refuse(problem);
      if (problem) return;
      this.#close();
      this.#changed([...this.#rules, rule]);
    });
    return form;
  }
}

/** Why a typed rule means nothing; empty where it does. */
function refusal(rule: Rule, value: string, upper: string): string {
  const wrong = !Number.isFinite(rule.value)
    ? value
    : rule.upper !== null && !Number.isFinite(rule.upper)
      ? upper
      : null;
  if (wrong !== null) return `“${wrong}” is no number. Write it as 3.5.`;
  if (typeof rule.upper === "number" && rule.upper < rule.value) return "The upper value is below the lower one.";
  return "";
}
