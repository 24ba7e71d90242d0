// Pictures as object URLs: a few requests at a time, newest wish first, the least used dropped.

import { type DataSource, getBlob } from "./source";

const PARALLEL = 5;
const KEPT = 600;

interface Wish {
  path: string;
  signal: AbortSignal;
  resolve(url: string): void;
  reject(error: unknown): void;
}

export class PictureCache {
  readonly #source: DataSource;
  readonly #urls = new Map<string, string>();
  readonly #wishes: Wish[] = [];
  #running = 0;

  constructor(source: DataSource) {
    this.#source = source;
  }

  /** The URL if the picture is here already. */
  peek(path: string): string | undefined {
    const url = this.#urls.get(path);
    if (url !== undefined) {
      this.#urls.delete(path);
      this.#urls.set(path, url);
    }
    return url;
  }

  load(path: string, signal: AbortSignal): Promise<string> {
    const here = this.peek(path);
    if (here !== undefined) return Promise.resolve(here);
    return new Promise((resolve, reject) => {
      this.#wishes.push({ path, signal, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    while (this.#running < PARALLEL) {
      const wish = this.#wishes.pop();
      if (!wish) return;
      if (wish.signal.aborted) wish.reject(new DOMException("cancelled", "AbortError"));
      else void this.#serve(wish);
    }
  }

  async #serve(wish: Wish): Promise<void> {
    this.#running++;
    try {
      const blob = await getBlob(this.#source, wish.path, wish.signal);
      wish.resolve(this.#keep(wish.path, URL.createObjectURL(blob)));
    } catch (error) {
      wish.reject(error);
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #keep(path: string, url: string): string {
    const known = this.#urls.get(path);
    if (known !== undefined) {
      URL.revokeObjectURL(url);
      return known;
    }
    this.#urls.set(path, url);
    for (const [oldest, oldUrl] of this.#urls) {
      if (this.#urls.size <= KEPT) break;
      this.#urls.delete(oldest);
      URL.revokeObjectURL(oldUrl);
    }
    return url;
  }

  close(): void {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
    this.#wishes.length = 0;
  }
}
