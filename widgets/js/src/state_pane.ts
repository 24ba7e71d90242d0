// The designed states of a view: loading, empty, error.

import { h } from "./dom";
import { ProblemError } from "./source";

export class StatePane {
  readonly node = h("div", { class: "state", "data-athena": "state", hidden: true });
  readonly #retry: () => void;

  constructor(retry: () => void) {
    this.#retry = retry;
  }

  loading(): void {
    this.#set("loading");
    this.node.classList.add("skeleton");
  }

  /** Nothing to show, and why; `hint` says what will happen or what to do. */
  empty(title: string, hint = ""): void {
    this.#set("empty", h("strong", {}, title), hint && h("span", {}, hint));
  }

  error(error: unknown): void {
    const [title, hint] =
      error instanceof ProblemError ? [error.message, error.hint] : ["This could not be shown.", String(error)];
    const again = h("button", { type: "button", "data-athena": "retry" }, "Try again");
    again.addEventListener("click", this.#retry);
    this.#set("error", h("strong", {}, title), hint && h("span", {}, hint), again);
  }

  done(): void {
    this.#set("done");
    this.node.hidden = true;
  }

  #set(kind: string, ...children: (Node | string | false)[]): void {
    this.node.hidden = false;
    this.node.classList.remove("skeleton");
    this.node.dataset.kind = kind;
    this.node.setAttribute("role", kind === "error" ? "alert" : "status");
    this.node.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)));
  }
}
