// What pointer and keyboard do on the charts.

import { type Band, inView, type Shared, type Span } from "./chart_types";
import type { Mode } from "./drag_modes";
import type { Rule } from "./filter_rules";
import type { MetricRow } from "./metric_row";
import { Scope } from "./model";
import type { Selection } from "./selection";
import { count, fixed, withUnit } from "./units";

/** The pointer rests this long before the name of a micrograph is asked for. */
const REST_MS = 80;
/** A pointer that moved less was a click, px. */
const CLICK_PX = 4;
const ZOOM_STEP = 1.6;

/** The view whose charts these hands are on. */
export interface Host {
  readonly shared: Shared;
  readonly selection: Selection;
  /** Rows that are in view. */
  rows(): Iterable<MetricRow>;
  mode(): Mode;
  rules(): readonly Rule[];
  /** Look through other rules while a drag goes on; through those of the filter where none are given. */
  preview(rules?: readonly Rule[]): void;
  use(rules: Rule[]): void;
  open(index: number): void;
  /** Look at a part of the run; at the whole where none is given. */
  look(span?: Span): void;
  /** Name of an acquisition where it was asked for before. */
  known(index: number): string | undefined;
  /** Ask for a name. */
  name(index: number): Promise<void>;
  judge(verdict: string): void;
}

export class ChartHands {
  readonly #host: Host;
  readonly #scope: Scope;
  #resting = 0;

  constructor(host: Host, scope: Scope) {
    this.#host = host;
    this.#scope = scope;
    scope.defer(() => clearTimeout(this.#resting));
  }

  /** Let a row be pointed at, dragged over and reached by keys. */
  attach(row: MetricRow): void {
    const { over } = row;
    const here = (event: MouseEvent): { x: number; y: number } => {
      const box = over.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    this.#scope.listen(over, "pointerdown", (event) => {
      if (event.button === 0) this.#drag(row, event, here);
    });
    this.#scope.listen(over, "pointermove", (event) => {
      if (event.buttons === 0) this.#hover(row, here(event));
    });
    this.#scope.listen(over, "pointerleave", () => this.#leave(row));
    this.#scope.listen(over, "blur", () => row.say("", 0, 0));
    this.#scope.listen(over, "wheel", (event) => this.#wheel(row, event, here(event)), { passive: false });
    this.#scope.listen(over, "keydown", (event) => this.#key(row, event));
  }

  #hover(row: MetricRow, { x, y }: { x: number; y: number }): void {
    if (!row.layout.overSeries(x)) {
      this.#point(-1);
      row.say(row.binAt(y), x, y);
      row.over.style.cursor = "default";
      return;
    }
    const index = row.nearest(x, y, this.#host.shared);
    row.over.style.cursor = index >= 0 ? "pointer" : "crosshair";
    this.#point(index);
    this.#tellPoint(row);
  }

  #leave(row: MetricRow): void {
    row.say("", 0, 0);
    this.#point(-1);
  }

  /** Show where an acquisition is on all charts. */
  #point(index: number): void {
    if (this.#host.shared.cursor === index) return;
    this.#host.shared.cursor = index;
    for (const row of this.#host.rows()) row.drawOver(this.#host.shared);
  }

  #tellPoint(row: MetricRow): void {
    const index = this.#host.shared.cursor;
    if (index < 0) return row.say("", 0, 0);
    const { x, y } = row.pointAt(index, this.#host.shared);
    row.say(this.#words(row, index), x, y);
    if (this.#host.known(index)) return;
    clearTimeout(this.#resting);
    this.#resting = window.setTimeout(() => void this.#ask(row, index), REST_MS);
  }

  async #ask(row: MetricRow, index: number): Promise<void> {
    await this.#host.name(index);
    if (this.#host.shared.cursor !== index || row.tip.hidden || !this.#host.known(index)) return;
    this.#tellPoint(row);
    row.over.setAttribute("aria-valuetext", this.#words(row, index));
  }

  #words(row: MetricRow, index: number): string {
    const { digits, unit, label } = row.metric;
    const value = row.values[index];
    const known = value !== undefined && Number.isFinite(value);
    const text = known ? withUnit(fixed(value, digits), unit) : "not known";
    const { accepted, rejected, kept } = this.#host.shared;
    const said = accepted.includes(index)
      ? " · accepted by hand"
      : rejected.includes(index)
        ? " · rejected by hand"
        : kept[index]
          ? ""
          : " · left out";
    const name = this.#host.known(index);
    return `${name ? `${name}\n` : ""}Micrograph ${count(index + 1)}${said}\n${label} ${text}`;
  }

  #drag(row: MetricRow, down: PointerEvent, here: (event: MouseEvent) => { x: number; y: number }): void {
    const from = here(down);
    const mode = down.shiftKey ? "select" : row.layout.overSeries(from.x) ? this.#host.mode() : "filter";
    let [moved, to] = [false, from];
    row.over.setPointerCapture(down.pointerId);
    const inner = new Scope();
    const band = (): Band => ({ from, to, across: mode !== "filter", along: mode !== "zoom" });
    this.#scope.defer(() => inner.close());
    inner.listen(row.over, "pointermove", (event) => {
      to = here(event);
      moved ||= Math.hypot(to.x - from.x, to.y - from.y) > CLICK_PX;
      if (!moved) return;
      row.say("", 0, 0);
      row.drawOver(this.#host.shared, band());
      if (mode === "filter") this.#host.preview(this.#dragged(row, from.y, to.y));
    });
    const end = (dropped: boolean): void => {
      inner.close();
      row.drawOver(this.#host.shared);
      if (dropped) this.#host.preview();
      else if (!moved) this.#clicked(row, from, down.shiftKey);
      else if (mode === "filter") {
        const rules = this.#dragged(row, from.y, to.y);
        if (rules) this.#host.use(rules);
        else this.#host.preview();
      } else if (mode === "zoom")
        this.#host.look(
          ordered(row.layout.placeAt(from.x, this.#host.shared.span), row.layout.placeAt(to.x, this.#host.shared.span)),
        );
      else this.#selectBox(row, from, to, down.shiftKey);
    };
    inner.listen(row.over, "pointerup", () => end(false));
    inner.listen(row.over, "pointercancel", () => end(true));
  }

  /** Rules with the range of a drag in place of those on its metric; nothing where the range is none. */
  #dragged(row: MetricRow, y0: number, y1: number): Rule[] | undefined {
    const { name, digits } = row.metric;
    const [low, high] = [row.layout.valueAt(Math.max(y0, y1)), row.layout.valueAt(Math.min(y0, y1))].map((value) =>
      Number(value.toFixed(digits)),
    ) as [number, number];
    if (low >= high) return undefined;
    const others = this.#host.rules().filter((rule) => rule.metric !== name);
    return [...others, { metric: name, operator: "between", value: low, upper: high }];
  }

  #clicked(row: MetricRow, { x, y }: { x: number; y: number }, adding: boolean): void {
    if (!row.layout.overSeries(x)) return;
    const index = row.nearest(x, y, this.#host.shared);
    if (index < 0) return this.#host.selection.choose([]);
    if (adding) this.#host.selection.add([index]);
    else this.#host.open(index);
  }

  #wheel(row: MetricRow, event: WheelEvent, { x }: { x: number }): void {
    if (!(event.ctrlKey || event.metaKey) || !row.layout.overSeries(x)) return;
    event.preventDefault();
    const factor = ZOOM_STEP ** (event.deltaY / 200);
    this.#zoom(factor, row.layout.placeAt(x, this.#host.shared.span));
  }

  #key(row: MetricRow, event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { total, cursor, span } = this.#host.shared;
    const page = Math.max(1, Math.round((span.end - span.start) / 20));
    const { first, last } = inView(this.#host.shared);
    const start = cursor < 0 ? first - 1 : cursor;
    const places: Record<string, number> = {
      ArrowRight: start + 1,
      ArrowLeft: cursor < 0 ? last - 1 : cursor - 1,
      PageUp: start + page,
      PageDown: start - page,
      Home: 0,
      End: total - 1,
    };
    const place = places[event.key];
    if (place !== undefined) this.#move(row, Math.min(total - 1, Math.max(0, place)), event.shiftKey);
    else if (event.key === "Enter" && cursor >= 0) this.#host.open(cursor);
    else if (event.key === "c") this.#judge("accepted");
    else if (event.key === "x") this.#judge("rejected");
    else if (event.key === "+" || event.key === "-")
      this.#zoom(event.key === "+" ? 1 / ZOOM_STEP : ZOOM_STEP, cursor >= 0 ? cursor + 1 : (span.start + span.end) / 2);
    else if (event.key === "Escape") {
      if (this.#host.selection.indices.length > 0) this.#host.selection.choose([]);
      else this.#host.look(undefined);
    } else return;
    event.preventDefault();
  }

  #move(row: MetricRow, index: number, selecting: boolean): void {
    const { span, cursor } = this.#host.shared;
    if (index + 1 < span.start || index + 1 > span.end) {
      const half = (span.end - span.start) / 2;
      this.#host.look({ start: index + 1 - half, end: index + 1 + half });
    }
    this.#point(index);
    row.over.setAttribute("aria-valuenow", String(index + 1));
    row.over.setAttribute("aria-valuetext", this.#words(row, index));
    this.#tellPoint(row);
    if (!selecting) return;
    const begin = cursor < 0 ? index : cursor;
    const [low, high] = [Math.min(begin, index), Math.max(begin, index)];
    this.#host.selection.add(Array.from({ length: high - low + 1 }, (_, i) => low + i));
  }

  #selectBox(row: MetricRow, from: { x: number; y: number }, to: { x: number; y: number }, adding: boolean): void {
    const { span } = this.#host.shared;
    const places = ordered(row.layout.placeAt(from.x, span), row.layout.placeAt(to.x, span));
    const [low, high] = [row.layout.valueAt(Math.max(from.y, to.y)), row.layout.valueAt(Math.min(from.y, to.y))];
    const found: number[] = [];
    const { first, last } = inView(this.#host.shared);
    for (let i = Math.max(first, Math.ceil(places.start - 1)); i < last && i + 1 <= places.end; i++) {
      const value = row.values[i] as number;
      if (value >= low && value <= high) found.push(i);
    }
    if (adding) this.#host.selection.add(found);
    else this.#host.selection.choose(found);
  }

  #zoom(factor: number, around: number): void {
    const { start, end } = this.#host.shared.span;
    this.#host.look({ start: around - (around - start) * factor, end: around + (end - around) * factor });
  }

  /** What is selected, else the one at the cursor. */
  #judge(verdict: string): void {
    const { selection, shared } = this.#host;
    if (selection.indices.length === 0 && shared.cursor >= 0) selection.choose([shared.cursor]);
    this.#host.judge(verdict);
  }
}

const ordered = (a: number, b: number): Span => ({ start: Math.min(a, b), end: Math.max(a, b) });
