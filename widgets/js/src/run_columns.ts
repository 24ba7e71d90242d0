// Metrics of a whole run as typed arrays; pulls only what may have changed.

import * as paths from "./paths";
import { FULL_PULL_EVERY_MS, joined, LOOK_BACK } from "./pulling";
import type { DataSource } from "./source";

/** The head of the binary form, as the contract's `ColumnsHead`. */
interface Head {
  version: number;
  branch: number;
  start: number;
  rows: number;
  total: number;
  columns: string[];
  accepted: number[];
  rejected: number[];
  left_out: number[];
}

/** Rows of one request; the most that the API gives. */
const PAGE = 100_000;
/** Rows a live pull asks for at a time, from where processing is. */
const LIVE_WINDOW = 2_000;
const FULL_PULL_ROWS = 20_000;

export function parse(body: ArrayBuffer): { head: Head; columns: Map<string, Float64Array> } {
  const begin = 4 + new DataView(body).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, begin - 4))) as Head;
  const columns = head.columns.map((name, i): [string, Float64Array] => [
    name,
    new Float64Array(body, begin + 8 * head.rows * i, head.rows),
  ]);
  return { head, columns: new Map(columns) };
}

export class RunColumns {
  total = 0;
  loaded = false;
  accepted: number[] = [];
  rejected: number[] = [];
  /** Those that the branch of results was not given. */
  leftOut: number[] = [];
  /** Bring everything up to date. */
  readonly pull: () => Promise<void>;
  readonly #columns = new Map<string, Float64Array>();
  readonly #source: DataSource;
  readonly #runId: string;
  readonly #signal: AbortSignal;
  readonly #changed: () => void;
  #wanted: string[] = [];
  #branch = -1;
  #settled = 0;
  #lastFull = Number.NEGATIVE_INFINITY;

  /** `changed()` is told after each answer. */
  constructor(source: DataSource, runId: string, signal: AbortSignal, changed: () => void) {
    this.#source = source;
    this.#runId = runId;
    this.#signal = signal;
    this.#changed = changed;
    this.pull = joined(signal, () => this.#pullOnce());
  }

  /** Values of a metric by index, NaN where not known; undefined until they are there. */
  values(name: string): Float64Array | undefined {
    return this.#columns.get(name)?.subarray(0, this.total);
  }

  /** Read these metrics from the next pull on; whether any of them is not there yet. */
  want(names: Iterable<string>): boolean {
    this.#wanted = [...new Set(names)];
    return this.#missing().length > 0;
  }

  #missing(): string[] {
    return this.#wanted.filter((name) => !this.#columns.has(name));
  }

  async #pullOnce(): Promise<void> {
    const missing = this.#missing();
    const known = this.#wanted.filter((name) => this.#columns.has(name));
    if (missing.length > 0 || !this.loaded) await this.#pullAll(missing);
    if (missing.length > 0 && known.length === 0) this.#lastFull = performance.now();
    else if (known.length > 0) await this.#refresh(known);
  }

  async #refresh(names: string[]): Promise<void> {
    const now = performance.now();
    if (now - this.#lastFull > FULL_PULL_EVERY_MS * Math.max(1, this.total / FULL_PULL_ROWS)) {
      this.#lastFull = now;
      return this.#pullAll(names);
    }
    let start = Math.max(0, this.#settled - LOOK_BACK);
    for (;;) {
      const branch = this.#branch;
      const head = await this.#page(names, start, LIVE_WINDOW);
      if (branch !== head.branch) return this.#pullAll(names);
      start += head.rows;
      // whatever lies beyond rows without any number is not processed yet
      if (head.rows === 0 || start >= this.total || this.#settled < start) return;
    }
  }

  async #pullAll(names: string[]): Promise<void> {
    let start = 0;
    for (;;) {
      const head = await this.#page(names, start, PAGE);
      start += head.rows;
      if (head.rows === 0 || start >= head.total) return;
    }
  }

  async #page(names: string[], start: number, limit: number): Promise<Head> {
    const answer = await this.#source.get(paths.columns(this.#runId, names, start, limit), this.#signal);
    const { head, columns } = parse(answer.body);
    this.total = head.total;
    this.#branch = head.branch;
    this.accepted = head.accepted;
    this.rejected = head.rejected;
    this.leftOut = head.left_out;
    for (const [name, values] of columns) this.#take(name, values, head.start);
    this.loaded = true;
    this.#changed();
    return head;
  }

  #take(name: string, values: Float64Array, start: number): void {
    let column = this.#columns.get(name);
    if (!column || column.length < this.total) {
      const longer = new Float64Array(Math.max(this.total, Math.ceil((column?.length ?? 0) * 1.5))).fill(Number.NaN);
      if (column) longer.set(column);
      this.#columns.set(name, longer);
      column = longer;
    }
    column.set(values, start);
    let last = values.length - 1;
    while (last >= 0 && !Number.isFinite(values[last])) last--;
    this.#settled = Math.max(this.#settled, start + last + 1);
  }
}
