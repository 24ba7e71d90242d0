// Above the gallery: how many stand where, as switches; the filter, order and mode at the right.

import newestIcon from "icon:arrow-downward";
import oldestIcon from "icon:arrow-upward";
import cardsIcon from "icon:grid-view-outline";
import extendedIcon from "icon:table-rows-outline";
import { h, iconButton } from "./dom";
import { FilterMenu } from "./filter_menu";
import type { Rule, RuleMetric } from "./filter_rules";
import type { Mode } from "./gallery_item";
import type { Group, Verdict } from "./run_data";
import { count } from "./units";

export type Order = "newest" | "oldest";

interface Choices {
  group(group: Group): void;
  mode(mode: Mode): void;
  order(order: Order): void;
  /** Where rules can be changed; undefined: nowhere from here. */
  rules(): void;
}

const GROUPS: [Group, string, string, string][] = [
  ["filtered", "✓", "filtered", "Show only filtered: finished, and kept by the filter"],
  ["excluded", "✕", "excluded", "Show only what the filter leaves out of those finished"],
  ["all", "", "acquired", "Show all"],
  ["finished", "●", "finished", "Show only finished"],
  ["progress", "◐", "in progress", "Show only those in progress"],
  ["error", "▲", "in error", "Show only errors"],
];
/** Of use only where something tells micrographs apart. */
const OF_FILTER: ReadonlySet<Group> = new Set(["filtered", "excluded"]);

export class GalleryHeader {
  readonly node: HTMLElement;
  readonly filter: FilterMenu;
  readonly #groups = new Map<Group, { button: HTMLButtonElement; number: HTMLElement }>();
  readonly #modes = new Map<Mode, HTMLButtonElement>();
  readonly #order: HTMLButtonElement;
  readonly #problem = h("p", { class: "refused", role: "alert", "data-athena": "refused", hidden: true });
  readonly #said = h("p", { class: "said", role: "status", "data-athena": "said", hidden: true });
  #current: Order = "newest";

  constructor(choices: Choices) {
    const groups = GROUPS.map(([group, shape, word, title]) => {
      const number = h("strong", { "data-athena": `count-${group}` }, "–");
      const button = h(
        "button",
        { type: "button", class: "count", "aria-label": title, "data-athena": `only-${group}`, title },
        shape && h("span", { class: "dot", "data-group": group, "aria-hidden": "true" }, shape),
        number,
        h("span", { class: "muted" }, word),
      );
      button.hidden = OF_FILTER.has(group);
      button.addEventListener("click", () =>
        choices.group(button.getAttribute("aria-pressed") === "true" ? "all" : group),
      );
      this.#groups.set(group, { button, number });
      return button;
    });
    this.#modes.set(
      "extended",
      iconButton(extendedIcon, "Rows with motion and CTF", "mode-extended", () => choices.mode("extended")),
    );
    this.#modes.set(
      "cards",
      iconButton(cardsIcon, "Cards", "mode-cards", () => choices.mode("cards")),
    );
    this.#order = iconButton(newestIcon, "", "order", () =>
      choices.order(this.#current === "newest" ? "oldest" : "newest"),
    );
    this.filter = new FilterMenu(() => choices.rules());
    this.node = h(
      "div",
      { class: "gallery-header" },
      h("div", { class: "counts", role: "group", "aria-label": "Show" }, ...groups),
      this.#problem,
      this.#said,
      h("div", { class: "tools" }, this.filter.node, this.#order, ...this.#modes.values()),
    );
  }

  /** Say why the last thing asked was not done. */
  refused(problem: string): void {
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === "";
  }

  /** Say what was done that is not to be seen any more, and offer to undo it; without words, nothing of that. */
  said(words = "", undo?: () => void): void {
    this.#said.hidden = words === "";
    const button = h("button", { type: "button", class: "link", "data-athena": "undo" }, "Undo");
    button.addEventListener("click", () => undo?.());
    this.#said.replaceChildren(words, " ", undo ? button : "");
  }

  counts(
    counts: Record<Group | Verdict, number>,
    rules: readonly Rule[],
    about: { metrics: readonly RuleMetric[]; mayChange: boolean },
  ): void {
    const told = rules.length > 0 || counts.accepted + counts.rejected > 0;
    for (const [group, { button, number }] of this.#groups) {
      number.textContent = count(counts[group]);
      if (OF_FILTER.has(group)) button.hidden = !told && button.getAttribute("aria-pressed") !== "true";
    }
    const filtered = this.#groups.get("filtered");
    if (filtered) filtered.number.textContent = `${count(counts.filtered)} of ${count(counts.finished)}`;
    this.filter.tell(rules, counts, about);
  }

  choose(group: Group, mode: Mode, order: Order): void {
    for (const [name, { button }] of this.#groups) {
      button.setAttribute("aria-pressed", String(name === group));
      if (name === group) button.hidden = false;
    }
    for (const [name, button] of this.#modes) button.setAttribute("aria-pressed", String(name === mode));
    this.#current = order;
    this.#order.innerHTML = order === "newest" ? newestIcon : oldestIcon;
    this.#order.dataset.tip = order === "newest" ? "Newest first" : "Oldest first";
    this.#order.setAttribute("aria-label", this.#order.dataset.tip);
  }
}
