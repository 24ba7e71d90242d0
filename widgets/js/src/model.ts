// The part of anywidget's model that the widgets use; the portal gives an object of the same shape.

export interface Model {
  get<T>(name: string): T;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: (...details: never[]) => void): void;
  off(event: string, callback?: (...details: never[]) => void): void;
  send?(content: unknown): void;
}

/** The same model, with the Python side's default for each trait that the page does not give. */
export function withDefaults(model: Model, defaults: Readonly<Record<string, unknown>>): Model {
  return {
    get: <T>(name: string): T => (model.get<T | null | undefined>(name) ?? defaults[name]) as T,
    set: (name, value) => model.set(name, value),
    save_changes: () => model.save_changes(),
    on: (event, callback) => model.on(event, callback),
    off: (event, callback) => model.off(event, callback),
    send: (content) => model.send?.(content),
  };
}

export interface RenderContext {
  model: Model;
  el: HTMLElement;
}

/** What undoes a widget; anywidget calls it when the view goes. */
export type Cleanup = () => void;

/** Collects what must be undone, so that each set-up line stands beside its tear-down. */
export class Scope {
  readonly #undo: Cleanup[] = [];
  readonly signal: AbortSignal;

  constructor() {
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#undo.push(() => controller.abort());
  }

  /** Follow a trait until the widget goes; the callback runs once now as well. */
  follow<T>(model: Model, name: string, callback: (value: T) => void): void {
    const changed = (): void => callback(model.get<T>(name));
    model.on(`change:${name}`, changed);
    this.#undo.push(() => model.off(`change:${name}`, changed));
    changed();
  }

  /** Listen until the widget goes. */
  listen<K extends keyof HTMLElementEventMap>(
    target: EventTarget,
    type: K,
    callback: (event: HTMLElementEventMap[K]) => void,
    options: AddEventListenerOptions = {},
  ): void {
    target.addEventListener(type, callback as EventListener, { ...options, signal: this.signal });
  }

  defer(undo: Cleanup): void {
    this.#undo.push(undo);
  }

  close(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }
}

/** Set traits and tell Python. */
export function save(model: Model, values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}
