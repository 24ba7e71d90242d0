// Above the gallery: how many stand where, as switches; order and mode at the right.

import newestIcon from "icon:arrow-downward";
import oldestIcon from "icon:arrow-upward";
import cardsIcon from "icon:grid-view-outline";
import extendedIcon from "icon:table-rows-outline";
import { h, iconButton } from "./dom";
import type { Mode } from "./gallery_item";
import type { Group } from "./run_data";
import { count } from "./units";

export type Order = "newest" | "oldest";

interface Choices {
  group(group: Group): void;
  mode(mode: Mode): void;
  order(order: Order): void;
}

const GROUPS: [Group, string, string, string][] = [
  ["all", "", "acquired", "Show all"],
  ["finished", "●", "finished", "Show only finished"],
  ["progress", "◐", "in progress", "Show only those in progress"],
  ["error", "▲", "in error", "Show only errors"],
];

export class GalleryHeader {
  readonly node: HTMLElement;
  readonly #groups = new Map<Group, { button: HTMLButtonElement; number: HTMLElement }>();
  readonly #modes = new Map<Mode, HTMLButtonElement>();
  readonly #order: HTMLButtonElement;
  readonly #problem = h("p", { class: "refused", role: "alert", "data-athena": "refused", hidden: true });
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
    this.node = h(
      "div",
      { class: "gallery-header" },
      h("div", { class: "counts", role: "group", "aria-label": "Show" }, ...groups),
      this.#problem,
      h("div", { class: "tools" }, this.#order, ...this.#modes.values()),
    );
  }

  /** Say why the last thing asked was not done. */
  refused(problem: string): void {
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === "";
  }

  counts(counts: Record<Group, number>): void {
    for (const [group, { number }] of this.#groups) number.textContent = count(counts[group]);
  }

  choose(group: Group, mode: Mode, order: Order): void {
    for (const [name, { button }] of this.#groups) button.setAttribute("aria-pressed", String(name === group));
    for (const [name, button] of this.#modes) button.setAttribute("aria-pressed", String(name === mode));
    this.#current = order;
    this.#order.innerHTML = order === "newest" ? newestIcon : oldestIcon;
    this.#order.dataset.tip = order === "newest" ? "Newest first" : "Oldest first";
    this.#order.setAttribute("aria-label", this.#order.dataset.tip);
  }
}
