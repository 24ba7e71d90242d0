// What is known of a run's acquisitions, as columns; pulls only what may have changed.

import type { RunTable, RunVerdicts } from "./api.gen";
import type { MetricName } from "./catalogue.gen";
import { type Rule, satisfies } from "./filter_rules";
import * as paths from "./paths";
import { FULL_PULL_EVERY_MS, joined, LOOK_BACK } from "./pulling";
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
/** Rows asked for first: enough for what is seen, before all others come. */
const FIRST = 500;
/** Rows a live pull looks at, at the end (where new ones come) and where processing is. */
const LIVE_WINDOW = 500;
/** How long a verdict that was just given stands against answers without it. */
const SAID_MS = 10_000;

/** Where one stands; a branch of results may leave some out, which are not shown at all. */
export type State = "finished" | "progress" | "error" | "left";
/** What can be shown alone: by state, and of what is finished by the filter. */
export type Group = "all" | "filtered" | "excluded" | Exclude<State, "left">;
const GROUP_OF: Record<string, State> = {
  completed: "finished",
  error: "error",
  processing: "progress",
  registered: "progress",
  awaiting_movie: "progress",
  left_out: "left",
};
/** All but what processing will change soon; a movie that is awaited may never come, and shows at the next full pull. */
const SETTLED = new Set(["completed", "error", "awaiting_movie", "left_out"]);
export const groupOf = (state: string): State => GROUP_OF[state] ?? "progress";

export type Verdict = "accepted" | "rejected";

export class RunData {
  /** Bring everything up to date, the end first where the newest are seen. */
  readonly pull: (newest?: boolean) => Promise<void>;
  readonly names: string[] = [];
  readonly states: string[] = [];
  readonly errors: string[] = [];
  readonly #states: Record<State, number> = { finished: 0, progress: 0, error: 0, left: 0 };
  readonly #columns = new Map<string, Value[]>(COLUMNS.map((name) => [name, []]));
  #rules: readonly Rule[] = [];
  readonly #source: DataSource;
  readonly #runId: string;
  readonly #signal: AbortSignal;
  readonly #changed: (first: number, last: number) => void;
  readonly #verdicts = new Map<number, Verdict>();
  /** When a verdict was said here that no answer has shown yet: an answer under way does not take it back. */
  readonly #said = new Map<number, number>();
  #settled = 0;
  #lastFull = Number.NEGATIVE_INFINITY;
  /** What the tables say of all verdicts, and which branch they are of: differs when rows that are settled changed. */
  #judged: string | undefined;
  #results: number | undefined;
  #latest: RunTable | undefined;
  loaded = false;

  /** `changed(first, last)` is told the range of rows that may differ after each page. */
  constructor(source: DataSource, runId: string, signal: AbortSignal, changed: (first: number, last: number) => void) {
    this.#source = source;
    this.#runId = runId;
    this.#signal = signal;
    this.#changed = changed;
    this.pull = joined(signal, (newest = false) => this.#pullOnce(newest));
  }

  get total(): number {
    return this.names.length;
  }

  value(index: number, column: Column): Value {
    return this.#columns.get(column)?.[index];
  }

  /** The filter. Columns that it alone looks at come with the next pull. */
  filter(rules: readonly Rule[]): void {
    this.#rules = rules;
    for (const { metric } of rules) {
      if (this.#columns.has(metric)) continue;
      this.#columns.set(metric, []);
      this.reread();
    }
  }

  get rules(): readonly Rule[] {
    return this.#rules;
  }

  /** Whether the filter keeps it; what people said by hand goes before all rules. */
  keeps(index: number): boolean {
    const verdict = this.#verdicts.get(index);
    if (verdict) return verdict === "accepted";
    return this.#rules.every((rule) => satisfies(rule, this.#columns.get(rule.metric)?.[index]));
  }

  /** How many there are of each group, and of verdicts of both kinds. */
  get counts(): Record<Group | Verdict, number> {
    const filtered = this.indicesOf("filtered")?.length ?? 0;
    const excluded = this.#states.finished - filtered;
    const accepted = [...this.#verdicts.values()].filter((verdict) => verdict === "accepted").length;
    const rejected = this.#verdicts.size - accepted;
    const { left, ...states } = this.#states;
    return { all: this.total - left, filtered, excluded, accepted, rejected, ...states };
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

  async #pullOnce(newest: boolean): Promise<void> {
    await this.#pullRows(newest);
    if (this.#latest) await this.#follow(this.#latest);
  }

  async #pullRows(newest: boolean): Promise<void> {
    const now = performance.now();
    const tail = Math.max(0, this.total - LIVE_WINDOW);
    if (now - this.#lastFull > FULL_PULL_EVERY_MS * Math.max(1, this.total / PAGE)) {
      await this.#pullAll(newest);
      this.#lastFull = now;
      return;
    }
    const head = Math.max(0, this.#settled - LOOK_BACK);
    if (head + LIVE_WINDOW >= tail) return this.#pullFrom(Math.min(head, tail));
    this.#take(await this.#page(head, LIVE_WINDOW));
    await this.#pullFrom(tail);
  }

  async #page(start: number, limit: number): Promise<RunTable> {
    const path = paths.table(this.#runId, [...this.#columns.keys()], start, limit);
    this.#latest = await getJson<RunTable>(this.#source, path, this.#signal);
    return this.#latest;
  }

  /** Read everything: first what is seen first, so that a long run opens as fast as a short one. */
  async #pullAll(newest: boolean): Promise<void> {
    if (this.loaded) return this.#pullFrom(0);
    const first = await this.#page(0, newest ? 1 : FIRST);
    const begun = first.start + first.names.length;
    const { total } = first;
    if (!newest) {
      this.#take(first);
      if (begun < total) await this.#pullFrom(begun);
      return;
    }
    this.#grow(total);
    for (let [stop, rows] = [total, FIRST]; stop > 0; rows = PAGE) {
      const start = Math.max(0, stop - rows);
      this.#take(await this.#page(start, stop - start));
      stop = start;
    }
    // what came meanwhile
    await this.#pullFrom(total);
  }

  #grow(total: number): void {
    if (total > this.names.length) this.names.length = total;
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

  /** What others said of rows that are settled, or another branch in place of the one that was shown. */
  async #follow(table: RunTable): Promise<void> {
    const { judged = "", results = 0 } = table;
    if (this.#results !== undefined && this.#results !== results) {
      this.reread();
      void this.pull(); // one more, after this one
    }
    this.#results = results;
    if (this.#judged !== undefined && this.#judged !== judged) {
      const all = await getJson<RunVerdicts>(this.#source, paths.verdicts(this.#runId), this.#signal);
      const said = new Map(all.verdicts.map(({ index, verdict }) => [index, verdict]));
      const [first, last] = this.#hear(said, 0, this.total);
      if (last >= 0) this.#changed(first, last);
    }
    this.#judged = judged;
  }

  #take(table: RunTable): void {
    const { start } = table;
    this.#grow(table.total);
    let [first, last] = [Number.POSITIVE_INFINITY, -1];
    const columns = Object.entries(table.columns);
    table.names.forEach((name, i) => {
      const index = start + i;
      const state = table.states[i] ?? "";
      const same = this.states[index] === state && this.names[index] === name && groupOf(state) !== "progress";
      if (same && !columns.some(([column, values]) => this.#columns.get(column)?.[index] !== (values[i] ?? null)))
        return;
      this.#count(this.states[index], state);
      this.names[index] = name;
      this.states[index] = state;
      this.errors[index] = table.errors[i] ?? "";
      for (const [column, values] of columns) {
        const known = this.#columns.get(column);
        if (known) known[index] = values[i] ?? null;
      }
      first = Math.min(first, index);
      last = Math.max(last, index);
    });
    const said = new Map<number, Verdict>();
    for (const index of table.accepted ?? []) said.set(index, "accepted");
    for (const index of table.rejected ?? []) said.set(index, "rejected");
    const [low, high] = this.#hear(said, start, start + table.names.length);
    while (this.#settled < this.total && SETTLED.has(this.states[this.#settled] ?? "")) this.#settled++;
    this.loaded = true;
    this.#changed(Math.min(first, low), Math.max(last, high));
  }

  /** Take in all verdicts on the rows from `start` to `stop` (not included); the range of rows that differ. */
  #hear(said: ReadonlyMap<number, Verdict>, start: number, stop: number): [number, number] {
    let [first, last] = [Number.POSITIVE_INFINITY, -1];
    for (let index = start; index < stop; index++) {
      if (said.get(index) === this.#verdicts.get(index)) {
        this.#said.delete(index);
        continue;
      }
      if (performance.now() - (this.#said.get(index) ?? -SAID_MS) < SAID_MS) continue;
      this.#hold(index, said.get(index));
      first = Math.min(first, index);
      last = Math.max(last, index);
    }
    return [first, last];
  }

  #count(before: string | undefined, after: string): void {
    if (before !== undefined) this.#states[groupOf(before)]--;
    this.#states[groupOf(after)]++;
  }

  /** Indices of a group, oldest first; null stands for all there are. */
  indicesOf(group: Group): Int32Array | null {
    if (group === "all" && this.#states.left === 0) return null;
    const found = new Int32Array(this.total);
    let n = 0;
    for (let index = 0; index < this.total; index++) {
      const state = this.states[index];
      // not read yet
      if (state === undefined) continue;
      const standing = groupOf(state);
      const wanted =
        group === "filtered" || group === "excluded"
          ? state === "completed" && this.keeps(index) === (group === "filtered")
          : group === "all"
            ? standing !== "left"
            : standing === group;
      if (wanted) found[n++] = index;
    }
    return found.subarray(0, n);
  }
}
