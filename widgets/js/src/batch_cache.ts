// Things asked for one by one and fetched many at a time, for the rows that are on screen.

const KEPT = 2_000;
const GATHER_MS = 40;

/** `fetchMany` gives the values of some indices; `arrived` is told which came. */
export class BatchCache<T> {
  readonly #fetchMany: (indices: number[]) => Promise<Map<number, T>>;
  readonly #arrived: (indices: number[]) => void;
  readonly #limit: number;
  readonly #values = new Map<number, T>();
  readonly #running = new Set<number>();
  #wanted: number[] = [];
  #timer = 0;

  constructor(
    limit: number,
    fetchMany: (indices: number[]) => Promise<Map<number, T>>,
    arrived: (indices: number[]) => void,
  ) {
    this.#limit = limit;
    this.#fetchMany = fetchMany;
    this.#arrived = arrived;
  }

  get(index: number): T | undefined {
    return this.#values.get(index);
  }

  /** Forget some, so that they are asked for again. */
  drop(indices: Iterable<number>): void {
    for (const index of indices) this.#values.delete(index);
  }

  /** Say what is on screen now; earlier wishes that were not sent yet are forgotten. */
  want(indices: number[]): void {
    this.#wanted = indices.filter((index) => !this.#values.has(index) && !this.#running.has(index));
    if (this.#wanted.length === 0 || this.#timer) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      void this.#fetch(this.#wanted.splice(0, this.#limit));
    }, GATHER_MS);
  }

  async #fetch(indices: number[]): Promise<void> {
    if (indices.length === 0) return;
    for (const index of indices) this.#running.add(index);
    try {
      const found = await this.#fetchMany(indices);
      for (const [index, value] of found) this.#values.set(index, value);
      for (const oldest of this.#values.keys()) {
        if (this.#values.size <= KEPT) break;
        this.#values.delete(oldest);
      }
      this.#arrived([...found.keys()]);
    } finally {
      for (const index of indices) this.#running.delete(index);
    }
    if (this.#wanted.length > 0) this.want(this.#wanted);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#wanted = [];
  }
}
