// The gallery's virtual list: only what is on screen exists, and is used again.

import { h } from "./dom";
import type { Order } from "./gallery_header";
import { type GalleryContext, GalleryItem, type Mode } from "./gallery_item";
import type { Scope } from "./model";
import { VirtualScroll } from "./virtual_scroll";

const GAP = 8;
const OVERSCAN_ROWS = 1;
const STILL_MS = 90;
const CARD_WIDTH = 176;
const CARD_TEXT = 78;
const ROW_PADDING = 8;
const INFO_WIDTH = 190;
/** A row is this many pictures wide besides its text: three square ones and a curve of 1.6. */
const ROW_PICTURES = 4.6;
const [SMALLEST, LARGEST] = [104, 256];

/** Height of an extended row that has nothing to picture (yet). */
const COMPACT_HEIGHT = 52;

interface Geometry {
  columns: number;
  rowHeight: number;
  /** Height of a row without pictures. */
  compactHeight: number;
  cell: number;
  picture: number;
}

/** Sizes for a view this wide. */
export function geometryFor(mode: Mode, width: number): Geometry {
  if (mode === "cards") {
    const columns = Math.max(1, Math.floor((width + GAP) / (CARD_WIDTH + GAP)));
    const cell = (width - GAP * (columns - 1)) / columns;
    const rowHeight = Math.floor(cell) + CARD_TEXT + GAP;
    return { columns, cell, picture: Math.floor(cell), rowHeight, compactHeight: rowHeight };
  }
  const room = width - INFO_WIDTH - 2 * ROW_PADDING - 4 * GAP;
  const picture = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(room / ROW_PICTURES)));
  const rowHeight = picture + 2 * ROW_PADDING + GAP;
  return { columns: 1, cell: width, picture, rowHeight, compactHeight: COMPACT_HEIGHT + GAP };
}

export class GalleryList {
  readonly node: HTMLElement;
  readonly #spacer = h("div", { class: "gallery-spacer" });
  readonly #scroll: VirtualScroll;
  readonly #context: GalleryContext;
  readonly #seen: (indices: number[]) => void;
  readonly #items = new Map<number, GalleryItem>();
  #free: GalleryItem[] = [];
  #mode: Mode = "extended";
  #order: Order = "newest";
  #indices: Int32Array | null = null;
  #length = 0;
  #geometry: Geometry = { columns: 1, rowHeight: 1, compactHeight: 1, cell: 1, picture: 1 };
  /** Top of every row, and of the end. */
  #tops = new Float64Array(1);
  #selected = -1;
  #frame = 0;
  #still = 0;

  /** `seen` is told the indices on screen whenever the list comes to rest. */
  constructor(context: GalleryContext, scope: Scope, seen: (indices: number[]) => void) {
    this.#context = context;
    this.#seen = seen;
    this.node = h(
      "div",
      { class: "gallery-list", role: "listbox", tabindex: "0", "aria-label": "Acquisitions", "data-athena": "gallery" },
      this.#spacer,
    );
    this.#scroll = new VirtualScroll(this.node, this.#spacer, scope, () => this.#soon());
    const observer = new ResizeObserver(() => this.#measure());
    observer.observe(this.node);
    scope.defer(() => {
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#still);
    });
  }

  get mode(): Mode {
    return this.#mode;
  }

  get order(): Order {
    return this.#order;
  }

  get selected(): number {
    return this.#selected;
  }

  /** Change what is listed and how; the selected one stays in view. */
  arrange(mode: Mode, order: Order, indices: Int32Array | null): void {
    if (mode !== this.#mode) {
      for (const item of this.#items.values()) item.node.remove();
      this.#items.clear();
      this.#free = [];
    }
    [this.#mode, this.#order, this.#indices] = [mode, order, indices];
    this.#geometry = geometryFor(mode, this.#spacer.clientWidth);
    this.#rebuild(0);
    if (this.#positionOf(this.#selected) >= 0) this.reveal(this.#selected);
  }

  /** Take in rows that were added or changed without moving what is on screen. */
  update(indices: Int32Array | null): void {
    // at the very top of "newest first" the newest are what one wants to see
    const anchor = this.#order === "newest" && this.#scroll.top < COMPACT_HEIGHT ? undefined : this.#anchor();
    const marked = anchor && this.#inView(this.#selected);
    this.#indices = indices;
    this.#rebuild(this.#scroll.top, marked || anchor);
    // rows that fill grow: the marked one stays whole
    if (marked) this.reveal(this.#selected);
  }

  /** Where an acquisition lies if any of it is in view. */
  #inView(index: number): { index: number; below: number } | undefined {
    const position = this.#positionOf(index);
    if (position < 0) return undefined;
    const row = Math.floor(position / this.#geometry.columns);
    const [top, end] = [this.#tops[row] ?? 0, this.#tops[row + 1] ?? 0];
    const { top: seen, viewHeight } = this.#scroll;
    return end > seen && top < seen + viewHeight ? { index, below: seen - top } : undefined;
  }

  /** The first acquisition in view and how far it sticks out at the top. */
  #anchor(): { index: number; below: number } | undefined {
    if (this.#length === 0) return undefined;
    const row = this.#rowAt(this.#scroll.top);
    const index = this.#indexAt(Math.min(this.#length - 1, row * this.#geometry.columns));
    return { index, below: this.#scroll.top - (this.#tops[row] ?? 0) };
  }

  /** Lay all rows out anew and scroll so that the anchor stays where it was. */
  #rebuild(top: number, anchor?: { index: number; below: number }): void {
    this.#length = this.#indices ? this.#indices.length : this.#context.data.total;
    const { columns, rowHeight, compactHeight } = this.#geometry;
    const { states } = this.#context.data;
    const rows = Math.ceil(this.#length / columns);
    const tops = new Float64Array(rows + 1);
    for (let row = 0; row < rows; row++) {
      const full = columns > 1 || states[this.#indexAt(row)] === "completed";
      tops[row + 1] = (tops[row] ?? 0) + (full ? rowHeight : compactHeight);
    }
    this.#tops = tops;
    const position = anchor ? this.#positionOf(anchor.index) : -1;
    const kept = position < 0 ? top : (tops[Math.floor(position / columns)] ?? 0) + (anchor?.below ?? 0);
    this.#scroll.setHeight(tops[rows] ?? 0, kept);
    for (const item of this.#items.values()) item.index = -1;
    this.#soon();
  }

  /** The row that covers a virtual position. */
  #rowAt(top: number): number {
    let [low, high] = [0, this.#tops.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= top) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Draw curves that came for some indices. */
  redraw(indices?: number[], again = false): void {
    const items = indices ? indices.map((index) => this.#items.get(index)) : this.#items.values();
    for (const item of items) {
      if (!item) continue;
      if (again) item.draw(true);
      else item.fill(item.index, this.#geometry.picture, true);
    }
  }

  select(index: number): void {
    this.#items.get(this.#selected)?.node.setAttribute("aria-selected", "false");
    this.#selected = index;
    const item = this.#items.get(index);
    item?.node.setAttribute("aria-selected", "true");
    if (item) this.node.setAttribute("aria-activedescendant", item.node.id);
    else this.node.removeAttribute("aria-activedescendant");
  }

  /** Scroll just so far that an acquisition is fully in view. */
  reveal(index: number): void {
    const position = this.#positionOf(index);
    if (position < 0) return;
    const row = Math.floor(position / this.#geometry.columns);
    const [top, end] = [this.#tops[row] ?? 0, this.#tops[row + 1] ?? 0];
    const view = this.#scroll.viewHeight;
    if (top < this.#scroll.top) this.#scroll.scrollTo(top);
    else if (end > this.#scroll.top + view) this.#scroll.scrollTo(end - view);
  }

  /** The acquisition some places along from another, within the list. */
  neighbour(index: number, places: number): number {
    const position = this.#positionOf(index);
    if (this.#length === 0) return -1;
    // with none selected, one step down leads to the first and the longest to the last
    return this.#indexAt(Math.max(0, Math.min(this.#length - 1, position + places)));
  }

  /** Whether an acquisition is in the list. */
  has(index: number): boolean {
    return this.#positionOf(index) >= 0;
  }

  /** The one after it, or before it where it is the last; -1 where it is alone. */
  beside(index: number): number {
    const next = this.neighbour(index, 1);
    const found = next === index ? this.neighbour(index, -1) : next;
    return found === index ? -1 : found;
  }

  get columns(): number {
    return this.#geometry.columns;
  }

  get rowsInView(): number {
    return Math.max(1, Math.floor(this.#scroll.viewHeight / this.#geometry.rowHeight));
  }

  get length(): number {
    return this.#length;
  }

  #indexAt(position: number): number {
    const place = this.#order === "newest" ? this.#length - 1 - position : position;
    return this.#indices ? (this.#indices[place] ?? -1) : place;
  }

  #positionOf(index: number): number {
    if (index < 0) return -1;
    let place = index;
    if (this.#indices) {
      place = lowerBound(this.#indices, index);
      if (this.#indices[place] !== index) return -1;
    }
    if (place >= this.#length) return -1;
    return this.#order === "newest" ? this.#length - 1 - place : place;
  }

  #measure(): void {
    const next = geometryFor(this.#mode, this.#spacer.clientWidth);
    const old = this.#geometry;
    if (next.rowHeight === old.rowHeight && next.columns === old.columns && next.cell === old.cell) return this.#soon();
    const anchor = this.#anchor();
    this.#geometry = next;
    this.#rebuild(0, anchor && { ...anchor, below: 0 });
  }

  #soon(): void {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#layOut(false);
      clearTimeout(this.#still);
      this.#still = window.setTimeout(() => this.#layOut(true), STILL_MS);
    });
  }

  /** Put items where they belong; only when the list stands still are pictures asked for. */
  #layOut(still: boolean): void {
    const { columns, cell, picture } = this.#geometry;
    const { top, viewHeight, offset } = this.#scroll;
    const firstRow = Math.max(0, this.#rowAt(top) - OVERSCAN_ROWS);
    const lastRow = this.#rowAt(top + viewHeight) + 1 + OVERSCAN_ROWS;
    const [first, last] = [firstRow * columns, Math.min(this.#length, lastRow * columns)];
    const wanted = new Map<number, number>();
    for (let position = first; position < last; position++) wanted.set(this.#indexAt(position), position);
    for (const [index, item] of this.#items) {
      if (wanted.has(index)) continue;
      this.#items.delete(index);
      this.#free.push(item);
    }
    for (const [index, position] of wanted) {
      const item = this.#items.get(index) ?? this.#take(index);
      const [row, column] = [Math.floor(position / columns), position % columns];
      item.node.style.width = `${cell}px`;
      item.node.style.setProperty("--picture", `${picture}px`);
      item.node.style.transform = `translate(${column * (cell + GAP)}px, ${(this.#tops[row] ?? 0) + offset}px)`;
      if (item.index !== index || still) item.fill(index, picture, still);
      item.node.setAttribute("aria-selected", String(index === this.#selected));
    }
    for (const item of this.#free) item.node.hidden = true;
    if (still) this.#seen([...wanted.keys()]);
  }

  #take(index: number): GalleryItem {
    let item = this.#free.pop();
    if (!item) {
      item = new GalleryItem(this.#context, this.#mode);
      this.#spacer.append(item.node);
    }
    item.node.hidden = false;
    this.#items.set(index, item);
    return item;
  }
}

function lowerBound(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
