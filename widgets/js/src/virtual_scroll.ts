// Scrolling through more pixels than a browser can lay out: positions are virtual, the scroll bar a scaled image of them.

import type { Scope } from "./model";

/** Firefox stops at 17.8 million pixels, Chromium at 33 million; well below both. */
const MAX_PIXELS = 8_000_000;
const SETTLE_MS = 140;
/** Steps longer than this many views are jumps of the scroll bar, not turns of a wheel. */
const JUMP = 1.5;

export class VirtualScroll {
  readonly viewport: HTMLElement;
  readonly #spacer: HTMLElement;
  readonly #moved: () => void;
  #height = 0;
  #top = 0;
  #lastReal = 0;
  #settle = 0;

  /** `moved` is called after each change of `top` or of the size of the view. */
  constructor(viewport: HTMLElement, spacer: HTMLElement, scope: Scope, moved: () => void) {
    this.viewport = viewport;
    this.#spacer = spacer;
    this.#moved = moved;
    scope.listen(viewport, "scroll", () => this.#scrolled(), { passive: true });
    scope.defer(() => clearTimeout(this.#settle));
  }

  /** Virtual pixel at the top edge of the view. */
  get top(): number {
    return this.#top;
  }

  get viewHeight(): number {
    return this.viewport.clientHeight;
  }

  /** What to add to a virtual position to get one inside the spacer. */
  get offset(): number {
    return this.#lastReal - this.#top;
  }

  get #realHeight(): number {
    return Math.min(this.#height, MAX_PIXELS);
  }

  #limit(top: number): number {
    return Math.max(0, Math.min(top, this.#height - this.viewHeight));
  }

  /** Real scroll position that stands for a virtual one. */
  #realFor(top: number): number {
    const room = this.#height - this.viewHeight;
    if (this.#height <= MAX_PIXELS || room <= 0) return top;
    return (top / room) * (this.#realHeight - this.viewHeight);
  }

  /** Set the virtual height; the view stays where it is, or at `top` if given. */
  setHeight(height: number, top = this.#top): void {
    this.#height = height;
    this.#spacer.style.height = `${this.#realHeight}px`;
    this.scrollTo(top);
  }

  scrollTo(top: number): void {
    this.#top = this.#limit(top);
    this.#writeReal();
    this.#moved();
  }

  #writeReal(): void {
    this.viewport.scrollTop = this.#realFor(this.#top);
    // the browser rounds: what it took is what counts
    this.#lastReal = this.viewport.scrollTop;
    if (this.#height <= MAX_PIXELS) this.#top = this.#lastReal;
  }

  #scrolled(): void {
    const real = this.viewport.scrollTop;
    const step = real - this.#lastReal;
    if (step === 0) return;
    this.#lastReal = real;
    if (this.#height <= MAX_PIXELS) {
      this.#top = real;
    } else if (Math.abs(step) < JUMP * this.viewHeight) {
      this.#top = this.#limit(this.#top + step);
      const atEdge = real <= 0 || real >= this.#realHeight - this.viewHeight - 1;
      clearTimeout(this.#settle);
      this.#settle = window.setTimeout(() => this.#resync(), atEdge ? 0 : SETTLE_MS);
    } else {
      const room = this.#realHeight - this.viewHeight;
      this.#top = this.#limit((real / room) * (this.#height - this.viewHeight));
    }
    this.#moved();
  }

  /** Put the scroll bar where the view really is, without moving what is seen. */
  #resync(): void {
    this.#writeReal();
    this.#moved();
  }
}
