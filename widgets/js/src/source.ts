// Where a widget's data comes from: HTTP (portal, Lab) or messages through the kernel (any other notebook).

import { MESSAGES } from "./catalogue.gen";
import type { Model } from "./model";

/** An error answer of the API, or none at all (status 0). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = "",
  ) {
    super(message);
    this.name = "ProblemError";
  }
}

export interface Answer {
  status: number;
  contentType: string;
  body: ArrayBuffer;
}

/** One way to the API. Paths are relative to the API's root: `runs/<id>/table?…`. */
export interface DataSource {
  get(path: string, signal?: AbortSignal): Promise<Answer>;
  close(): void;
}

/** True for what a cancelled request throws. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

function problem(answer: Answer): ProblemError {
  try {
    const body = JSON.parse(new TextDecoder().decode(answer.body)) as Record<string, unknown>;
    return new ProblemError(
      answer.status,
      String(body.code ?? "error"),
      String(body.message ?? ""),
      String(body.hint ?? ""),
    );
  } catch {
    return new ProblemError(answer.status, "error", `The server answered ${answer.status}.`);
  }
}

function checked(answer: Answer): Answer {
  if (answer.status >= 400) throw problem(answer);
  return answer;
}

export class HttpSource implements DataSource {
  readonly #base: URL;

  constructor(base: string) {
    this.#base = new URL(base.endsWith("/") ? base : `${base}/`, document.baseURI);
  }

  async get(path: string, signal?: AbortSignal): Promise<Answer> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.#base), { credentials: "same-origin", ...(signal ? { signal } : {}) });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ProblemError(0, "unreachable", "The server does not answer.", "It will be tried again.");
    }
    const contentType = response.headers.get("content-type") ?? "";
    return checked({ status: response.status, contentType, body: await response.arrayBuffer() });
  }

  close(): void {}
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

interface AnswerMessage {
  kind: string;
  id: number;
  status: number;
  content_type: string;
}

/** Asks the widget's Python half, which answers through the SDK. Requests carry an id and can be cancelled. */
export class CommSource implements DataSource {
  readonly #model: Model;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(model: Model) {
    this.#model = model;
    model.on("msg:custom", this.#received);
  }

  readonly #received = (message: AnswerMessage, buffers: (DataView | ArrayBuffer)[]): void => {
    if (message.kind !== MESSAGES.ANSWER) return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (!waiting) return;
    const answer = { status: message.status, contentType: message.content_type, body: bytesOf(buffers[0]) };
    try {
      waiting.resolve(checked(answer));
    } catch (error) {
      waiting.reject(error);
    }
  };

  get(path: string, signal?: AbortSignal): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new DOMException("cancelled", "AbortError"));
      this.#waiting.set(id, { resolve, reject });
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.delete(id)) return;
        this.#model.send?.({ kind: MESSAGES.CANCEL, id });
        reject(new DOMException("cancelled", "AbortError"));
      });
      this.#model.send?.({ kind: MESSAGES.GET, id, path });
    });
  }

  close(): void {
    this.#model.off("msg:custom", this.#received);
    for (const { reject } of this.#waiting.values()) reject(new DOMException("closed", "AbortError"));
    this.#waiting.clear();
  }
}

function bytesOf(buffer: DataView | ArrayBuffer | undefined): ArrayBuffer {
  if (!buffer) return new ArrayBuffer(0);
  if (buffer instanceof ArrayBuffer) return buffer;
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer;
}

/** The same way to the API, with every question about a run asked of one branch of its results. */
export function ofBranch(source: DataSource, branch: string): DataSource {
  if (!branch) return source;
  const asked = `branch=${encodeURIComponent(branch)}`;
  return {
    get: (path, signal) =>
      source.get(path.startsWith("runs/") ? `${path}${path.includes("?") ? "&" : "?"}${asked}` : path, signal),
    close: () => source.close(),
  };
}

export function openSource(model: Model): DataSource {
  const source =
    model.get<string>("source_kind") === "http" ? new HttpSource(model.get<string>("base_url")) : new CommSource(model);
  return ofBranch(source, model.get<string>("branch"));
}

export async function getJson<T>(source: DataSource, path: string, signal?: AbortSignal): Promise<T> {
  const answer = await source.get(path, signal);
  return JSON.parse(new TextDecoder().decode(answer.body)) as T;
}

export async function getBlob(source: DataSource, path: string, signal?: AbortSignal): Promise<Blob> {
  const answer = await source.get(path, signal);
  return new Blob([answer.body], { type: answer.contentType });
}
