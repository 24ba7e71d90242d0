// Acquisitions that were selected on the charts, and what can be said of them by hand.

import { h } from "./dom";
import { count } from "./units";

/** Indices as ranges: `3-40,55`. */
export function ranges(indices: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < indices.length; ) {
    let j = i;
    while (j + 1 < indices.length && indices[j + 1] === (indices[j] as number) + 1) j++;
    parts.push(j > i ? `${indices[i]}-${indices[j]}` : String(indices[i]));
    i = j + 1;
  }
  return parts.join(",");
}

/** The indices that `ranges` wrote. */
export function indicesOf(chosen: string): number[] {
  const found: number[] = [];
  for (const part of chosen.split(",")) {
    const [first = Number.NaN, last = first] = part === "" ? [] : part.split("-").map(Number);
    for (let index = first; index <= last; index++) found.push(index);
  }
  return found;
}

export class Selection {
  readonly node = h("div", { class: "selection", "data-athena": "selection", hidden: true });
  readonly #changed: () => void;
  readonly #judge: (verdict: string) => void;
  #mayJudge = false;
  #indices: number[] = [];

  constructor({ changed, judge }: { changed: () => void; judge: (verdict: string) => void }) {
    this.#changed = changed;
    this.#judge = judge;
  }

  /** Selected acquisitions, the first one first. */
  get indices(): readonly number[] {
    return this.#indices;
  }

  allow(mayJudge: boolean): void {
    this.#mayJudge = mayJudge;
    this.#draw();
  }

  choose(indices: Iterable<number>): void {
    this.#indices = [...new Set(indices)].sort((a, b) => a - b);
    this.#draw();
    this.#changed();
  }

  add(indices: Iterable<number>): void {
    this.choose([...this.#indices, ...indices]);
  }

  /** 1 for each that is selected; undefined where none is. */
  mask(total: number): Uint8Array | undefined {
    if (this.#indices.length === 0) return undefined;
    const found = new Uint8Array(total);
    for (const index of this.#indices) if (index < total) found[index] = 1;
    return found;
  }

  #draw(): void {
    const chosen = this.#indices.length;
    this.node.hidden = chosen === 0;
    if (chosen === 0) return;
    const button = (text: string, hook: string, tip: string, does: () => void): HTMLButtonElement => {
      const made = h("button", { type: "button", class: "action", title: tip, "data-athena": hook }, text);
      made.addEventListener("click", does);
      return made;
    };
    const verdict = (text: string, hook: string, tip: string, said: string): HTMLButtonElement =>
      button(text, hook, tip, () => this.#judge(said));
    const judging = this.#mayJudge
      ? [
          verdict("✓ Accept", "selection-accept", "They match whatever the rules say (c)", "accepted"),
          verdict("✕ Reject", "selection-reject", "They never match (x)", "rejected"),
          verdict("Let the rules decide", "selection-clear", "Takes back what was said by hand", ""),
        ]
      : [];
    this.node.replaceChildren(
      h("span", { role: "status" }, h("strong", {}, count(chosen)), " selected"),
      ...judging,
      button("Deselect", "selection-none", "Esc", () => this.choose([])),
    );
  }
}
