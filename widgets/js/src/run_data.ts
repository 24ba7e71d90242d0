// What is known of a run's acquisitions, as columns; pulls only what may have changed.

import type { RunTable } from "./api.gen";
import type { MetricName } from "./catalogue.gen";
import * as paths from "./paths";
import { type DataSource, getJson } from "./source";
import type { Value } from "./units";

export const COLUMNS = [
  "acquired_unix_s",
  "ctf_resolution_angstrom",
  "defocus_um",
  "astigmatism_nm",
  "drift_total_angstrom",
  "drift_direction_deg",
] as const satisfies readonly MetricName[];
export type Column = (typeof COLUMNS)[number];

/** Rows of one request: a page of some 2 MB. */
const PAGE = 20_000;
/** Rows a live pull looks at, at the end (where new ones come) and where processing is. */
const LIVE_WINDOW = 500;
/** Rows looked at again behind the place where processing is: failed ones may have been sent round once more. */
const LOOK_BACK = 200;
/** Everything is read again this often while things change; more rarely in long runs, for which it takes 10 MB. */
const FULL_PULL_EVERY_MS = 60_000;
const PULL_PAUSE_MS = 250;
/** How long a verdict that was just given stands against answers without it. */
const SAID_MS = 10_000;

export type Group = "all" | "finished" | "progress" | "error";
/** Where one stands; a branch of results may leave some out, which are not shown at all. */
export type Standing = Exclude<Group, "all"> | "left";
const GROUP_OF: Record<string, Standing> = {
  completed: "finished",
  error: "error",
  processing: "progress",
  registered: "progress",
  awaiting_movie: "progress",
  left_out: "left",
};
/** States that processing will change soon; a movie that is awaited may never come, and shows at the next full pull. */
const ACTIVE = new Set(["registered", "processing"]);
export const groupOf = (state: string): Standing => GROUP_OF[state] ?? "progress";

export type Verdict = "accepted" | "rejected";

export class RunData {
  readonly names: string[] = [];
  readonly states: string[] = [];
  readonly errors: string[] = [];
  readonly counts: Record<Group, number> = { all: 0, finished: 0, progress: 0, error: 0 };
  readonly #columns = Object.fromEntries(COLUMNS.map((name) => [name, []])) as unknown as Record<Column, Value[]>;
  readonly #source: DataSource;
  readonly #runId: string;
  readonly #signal: AbortSignal;
  readonly #changed: (first: number, last: number) => void;
  readonly #verdicts = new Map<number, Verdict>();
  /** When a verdict was said here that no answer has shown yet: an answer under way does not take it back. */
  readonly #said = new Map<number, number>();
  #settled = 0;
  #lastFull = -FULL_PULL_EVERY_MS;
  #pulling = false;
  #again = false;
  loaded = false;

  /** `changed(first, last)` is told the range of rows that may differ after each page. */
  constructor(source: DataSource, runId: string, signal: AbortSignal, changed: (first: number, last: number) => void) {
    this.#source = source;
    this.#runId = runId;
    this.#signal = signal;
    this.#changed = changed;
  }

  get total(): number {
    return this.names.length;
  }

  value(index: number, column: Column): Value {
    return this.#columns[column][index];
  }

  /** What somebody said of it by hand. */
  verdict(index: number): Verdict | undefined {
    return this.#verdicts.get(index);
  }

  /** Show a verdict at once; the next pull says what became of it. */
  judge(index: number, verdict: Verdict | undefined): void {
    this.#said.set(index, performance.now());
    this.#hold(index, verdict);
    this.#changed(index, index);
  }

  #hold(index: number, verdict: Verdict | undefined): void {
    if (verdict) this.#verdicts.set(index, verdict);
    else this.#verdicts.delete(index);
  }

  /** The next pull reads all rows. */
  reread(): void {
    this.#said.clear();
    this.#lastFull = Number.NEGATIVE_INFINITY;
  }

  /** Bring everything up to date. Calls while one runs are joined into one more. */
  async pull(): Promise<void> {
    if (this.#pulling) {
      this.#again = true;
      return;
    }
    this.#pulling = true;
    try {
      do {
        this.#again = false;
        await this.#pullOnce();
        if (this.#again) await new Promise((resolve) => setTimeout(resolve, PULL_PAUSE_MS));
      } while (this.#again && !this.#signal.aborted);
    } finally {
      this.#pulling = false;
    }
  }

  async #pullOnce(): Promise<void> {
    const now = performance.now();
    const tail = Math.max(0, this.total - LIVE_WINDOW);
    if (now - this.#lastFull > FULL_PULL_EVERY_MS * Math.max(1, this.total / PAGE)) {
      this.#lastFull = now;
      return this.#pullFrom(0);
    }
    const head = Math.max(0, this.#settled - LOOK_BACK);
    if (head + LIVE_WINDOW >= tail) return this.#pullFrom(Math.min(head, tail));
    this.#take(await this.#page(head, LIVE_WINDOW));
    await this.#pullFrom(tail);
  }

  #page(start: number, limit: number): Promise<RunTable> {
    return getJson<RunTable>(this.#source, paths.table(this.#runId, COLUMNS, start, limit), this.#signal);
  }

  /** Read from a row to the end, page by page. */
  async #pullFrom(first: number): Promise<void> {
    let start = first;
    for (;;) {
      const table = await this.#page(start, PAGE);
      this.#take(table);
      start = table.start + table.names.length;
      if (start >= table.total || table.names.length === 0) break;
    }
  }

  #take(table: RunTable): void {
    const { start } = table;
    let [first, last] = [Number.POSITIVE_INFINITY, -1];
    table.names.forEach((name, i) => {
      const index = start + i;
      const state = table.states[i] ?? "";
      if (this.states[index] === state && this.names[index] === name && groupOf(state) !== "progress") return;
      this.#count(this.states[index], state);
      this.names[index] = name;
      this.states[index] = state;
      this.errors[index] = table.errors[i] ?? "";
      for (const column of COLUMNS) this.#columns[column][index] = table.columns[column]?.[i] ?? null;
      first = Math.min(first, index);
      last = Math.max(last, index);
    });
    const said = new Map<number, Verdict>();
    for (const index of table.accepted ?? []) said.set(index, "accepted");
    for (const index of table.rejected ?? []) said.set(index, "rejected");
    for (let index = start; index < start + table.names.length; index++) {
      if (said.get(index) === this.#verdicts.get(index)) {
        this.#said.delete(index);
        continue;
      }
      if (performance.now() - (this.#said.get(index) ?? -SAID_MS) < SAID_MS) continue;
      this.#hold(index, said.get(index));
      first = Math.min(first, index);
      last = Math.max(last, index);
    }
    while (this.#settled < this.total && !ACTIVE.has(this.states[this.#settled] ?? "")) this.#settled++;
    this.loaded = true;
    this.#changed(first, last);
  }

  #count(before: string | undefined, after: string): void {
    for (const [state, step] of [
      [before, -1],
      [after, 1],
    ] as const) {
      const group = state === undefined ? "left" : groupOf(state);
      if (group === "left") continue;
      this.counts.all += step;
      this.counts[group] += step;
    }
  }

  /** Indices of a group, oldest first; null stands for all there are. */
  indicesOf(group: Group): Int32Array | null {
    if (group === "all" && this.counts.all === this.total) return null;
    const found = new Int32Array(this.counts[group]);
    let n = 0;
    for (let index = 0; index < this.total; index++) {
      const standing = groupOf(this.states[index] ?? "");
      if (standing === group || (group === "all" && standing !== "left")) found[n++] = index;
    }
    return found;
  }
}
