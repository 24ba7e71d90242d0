// The numbers of a run as charts, and rules that leave acquisitions out. All of it is worked out here: no rule asks the
// server.

import resetIcon from "icon:fit-width";
import type { Run, RunTable } from "./api.gen";
import { DEFAULTS } from "./catalogue.gen";
import { ChartHands, type Host } from "./chart_hands";
import { chartStyle } from "./chart_style";
import type { ChartMetric, Shared, Span } from "./chart_types";
import { ChartsMenu } from "./charts_menu";
import { h, iconButton } from "./dom";
import { DragModes } from "./drag_modes";
import { matches, type Rule } from "./filter_rules";
import { MetricRow } from "./metric_row";
import { type Cleanup, type Model, type RenderContext, Scope, save, withDefaults } from "./model";
import * as paths from "./paths";
import { RuleLine } from "./rule_line";
import { RunColumns } from "./run_columns";
import css from "./run_dataviz.css";
import { indicesOf, ranges, Selection } from "./selection";
import { type DataSource, getJson, isAbort, openSource } from "./source";
import { StatePane } from "./state_pane";
import { installTheme } from "./theme";
import { count } from "./units";

const RETRY_MS = 5_000;
/** While a drag goes on, the count is told no more often. */
const TALLY_MS = 100;
/** Fewest acquisitions one can look at. */
const CLOSEST = 10;

export interface Tally {
  kept: number;
  total: number;
  accepted: number;
  rejected: number;
}

class Dataviz implements Host {
  readonly shared: Shared;
  readonly selection = new Selection({
    changed: () => {
      this.shared.chosen = this.selection.mask(this.shared.total);
      this.#redraw();
      const chosen = ranges(this.selection.indices);
      if (chosen !== this.#model.get<string>("chosen")) save(this.#model, { chosen });
    },
    judge: (verdict) => this.judge(verdict),
  });
  readonly #model: Model;
  readonly #scope: Scope;
  readonly #source: DataSource;
  readonly #el: HTMLElement;
  readonly #columns: RunColumns;
  readonly #hands: ChartHands;
  readonly #pane = new StatePane(() => this.pull());
  readonly #rules = new RuleLine((rules) => this.use(rules));
  readonly #modes = new DragModes();
  readonly #menu = new ChartsMenu((charts) => save(this.#model, { charts }));
  readonly #list = h("div", { class: "metrics" });
  readonly #count = h("span", { class: "match", "data-athena": "match-count" });
  readonly #whole = iconButton(resetIcon, "Show the whole run", "zoom-reset", () => this.look());
  readonly #root: HTMLElement;
  readonly #names = new Map<number, string>();
  readonly #visible = new Set<Element>();
  readonly #dirty = new Set<MetricRow>();
  readonly #observer: IntersectionObserver;
  #rows: MetricRow[] = [];
  #retry = 0;
  #frame = 0;
  #tallied = 0;
  #tallying = 0;
  #drawn = 0;

  constructor(el: HTMLElement, model: Model, scope: Scope) {
    this.#el = el;
    this.#model = model;
    this.#scope = scope;
    this.#source = openSource(model);
    this.#hands = new ChartHands(this, scope);
    const runId = model.get<string>("run_id");
    this.#columns = new RunColumns(this.#source, runId, scope.signal, () => this.#arrived());
    this.shared = {
      style: chartStyle(el),
      span: { start: 0.5, end: 1.5 },
      total: 0,
      kept: new Uint8Array(0),
      chosen: undefined,
      accepted: [],
      rejected: [],
      cursor: -1,
    };
    this.#whole.hidden = true;
    const tools = h("div", { class: "tools" }, this.#whole, this.#modes.node, this.#menu.node);
    this.#root = h(
      "div",
      { class: "dataviz", "data-athena": "dataviz" },
      h("div", { class: "top" }, this.#rules.node, this.#count, tools),
      h("div", { class: "body" }, this.#list, this.#pane.node),
      this.selection.node,
    );
    el.append(this.#root);
    this.#observer = new IntersectionObserver((seen) => this.#seen(seen), { root: this.#list, rootMargin: "40px" });
    const resized = new ResizeObserver(() => this.#redraw());
    resized.observe(this.#list);
    scope.defer(() => {
      resized.disconnect();
      this.#observer.disconnect();
      clearTimeout(this.#retry);
      clearTimeout(this.#tallying);
      cancelAnimationFrame(this.#frame);
      this.#source.close();
      this.#root.remove();
    });
    this.#pane.loading();
    this.#listen();
  }

  #listen(): void {
    const { model, scope } = { model: this.#model, scope: this.#scope };
    scope.follow<number>(model, "height", (height) => {
      this.#root.style.height = `${height}px`;
    });
    scope.listen(this.#el, "athena-theme" as "change", () => {
      this.shared.style = chartStyle(this.#el);
      this.#redraw();
    });
    scope.follow<string>(model, "problem", (problem) => {
      this.#rules.refuse(problem);
      // what was shown at once did not come about
      if (problem) this.pull();
    });
    scope.follow(model, "show_count", () => this.#describe());
    scope.follow<boolean>(model, "may_judge", (may) => this.selection.allow(may));
    scope.follow<string>(model, "chosen", (chosen) => {
      if (chosen !== ranges(this.selection.indices)) this.selection.choose(indicesOf(chosen));
    });
    scope.follow(model, "charts", () => this.#arrange());
    scope.follow(model, "metrics", () => this.#arrange());
    scope.follow(model, "rules", () => {
      this.#rules.show(this.rules(), this.#metrics);
      this.preview();
    });
    scope.follow(model, "version", () => this.pull());
  }

  // ── which charts there are ──────────────────────────────────────────────────────────────────

  get #metrics(): ChartMetric[] {
    return this.#model.get<ChartMetric[]>("metrics");
  }

  /** Metrics that have charts now. */
  #charted(): ChartMetric[] {
    const asked = new Set(this.#model.get<string[]>("charts"));
    if (asked.size > 0) return this.#metrics.filter((one) => asked.has(one.name));
    return this.#metrics.filter((one) => one.standard === "always" || (one.standard === "varies" && this.#varies(one)));
  }

  #varies({ name }: ChartMetric): boolean {
    const known = this.#columns.values(name)?.filter(Number.isFinite) ?? [];
    return known.some((value) => value !== known[0]);
  }

  /** Whether something has to be read that was not before. */
  #want(): boolean {
    const asked = this.#model.get<string[]>("charts");
    const standard = this.#metrics.filter((one) => one.standard !== "asked").map((one) => one.name);
    return this.#columns.want([...(asked.length > 0 ? asked : standard), ...this.rules().map((rule) => rule.metric)]);
  }

  #arrange(): void {
    const missing = this.#want();
    if (missing && this.#columns.loaded) this.pull();
    const wanted = this.#charted();
    this.#menu.show(this.#metrics, wanted);
    const same =
      wanted.length === this.#rows.length && wanted.every((one, i) => one.name === this.#rows[i]?.metric.name);
    if (same || !this.#columns.loaded) return;
    this.#observer.disconnect();
    this.#visible.clear();
    const known = new Map(this.#rows.map((row) => [row.metric.name, row]));
    this.#rows = wanted.map((metric) => known.get(metric.name) ?? this.#row(metric));
    this.#list.replaceChildren(...this.#rows.map((row) => row.node));
    for (const row of this.#rows) {
      const values = this.#columns.values(row.metric.name);
      if (values) row.fill(values);
      row.shade(this.rules());
      this.#dirty.add(row);
      this.#observer.observe(row.node);
    }
  }

  #row(metric: ChartMetric): MetricRow {
    const row = new MetricRow(metric);
    this.#hands.attach(row);
    return row;
  }

  // ── numbers and rules ───────────────────────────────────────────────────────────────────────

  /** Pull what changed; an error is shown only while there is nothing else to show. */
  pull(): void {
    if (!this.#model.get<string>("run_id")) return this.#pane.empty("No run chosen");
    this.#want();
    this.#columns.pull().catch((error: unknown) => {
      if (isAbort(error) || this.#scope.signal.aborted) return;
      if (this.shared.total === 0) this.#pane.error(error);
      clearTimeout(this.#retry);
      this.#retry = window.setTimeout(() => this.pull(), RETRY_MS);
    });
  }

  #arrived(): void {
    const whole = this.#isWhole();
    this.shared.total = this.#columns.total;
    if (whole) this.shared.span = { start: 0.5, end: this.shared.total + 0.5 };
    for (const row of this.#rows) {
      const values = this.#columns.values(row.metric.name);
      if (values) row.fill(values);
    }
    this.#arrange();
    if (this.shared.total === 0) void this.#explain();
    else this.#pane.done();
    this.preview();
  }

  async #explain(): Promise<void> {
    try {
      const run = await getJson<Run>(this.#source, paths.run(this.#model.get("run_id")), this.#scope.signal);
      if (this.shared.total > 0) return;
      this.#pane.empty("No micrographs yet", run.source?.message || "Charts appear here with the first result.");
    } catch (error) {
      if (!isAbort(error)) this.#pane.error(error);
    }
  }

  rules(): readonly Rule[] {
    return this.#model.get<Rule[]>("rules");
  }

  use(rules: Rule[]): void {
    save(this.#model, { rules });
  }

  preview(rules: readonly Rule[] = this.rules()): void {
    if (!this.#columns.loaded) return;
    if (rules.some((rule) => !this.#columns.values(rule.metric))) return this.pull();
    const { accepted, rejected, leftOut, total } = this.#columns;
    const kept = matches(rules, (name) => this.#columns.values(name), { total, accepted, rejected, leftOut });
    Object.assign(this.shared, { accepted, rejected, kept });
    for (const row of this.#rows) row.shade(rules);
    this.#describe();
    this.#redraw();
    this.#tell();
  }

  get #tally(): Tally {
    const { kept, accepted, rejected } = this.shared;
    const total = this.shared.total - this.#columns.leftOut.length;
    const matching = kept.reduce((sum, one) => sum + one, 0);
    return { kept: matching, total, accepted: accepted.length, rejected: rejected.length };
  }

  #describe(): void {
    const { kept, total } = this.#tally;
    this.#count.hidden = !this.#model.get<boolean>("show_count") || total === 0;
    this.#count.replaceChildren(h("strong", {}, count(kept)), ` of ${count(total)} match`);
  }

  #tell(): void {
    clearTimeout(this.#tallying);
    const wait = Math.max(0, this.#tallied + TALLY_MS - performance.now());
    this.#tallying = window.setTimeout(() => {
      this.#tallied = performance.now();
      const [now, before] = [this.#tally, this.#model.get<Partial<Tally>>("tally")];
      const names = Object.keys(now) as (keyof Tally)[];
      if (names.some((name) => now[name] !== before[name])) save(this.#model, { tally: now });
    }, wait);
  }

  // ── drawing ─────────────────────────────────────────────────────────────────────────────────

  #seen(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#visible.add(target);
      else this.#visible.delete(target);
    }
    this.#schedule();
  }

  rows(): MetricRow[] {
    return this.#rows.filter((row) => this.#visible.has(row.node));
  }

  /** Draw all rows anew: at once those in view, others when they come into it. */
  #redraw(): void {
    for (const row of this.#rows) this.#dirty.add(row);
    this.#schedule();
  }

  #schedule(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const due = this.rows().filter((row) => this.#dirty.delete(row));
      for (const row of due) row.draw(this.shared);
      if (due.length > 0) this.#root.dataset.drawn = String(++this.#drawn);
    });
  }

  #isWhole(): boolean {
    const { span, total } = this.shared;
    return total === 0 || (span.start <= 0.5 && span.end >= total + 0.5);
  }

  look(span?: Span): void {
    const end = Math.max(1, this.shared.total) + 0.5;
    const wanted = span ?? { start: 0.5, end };
    const length = Math.min(Math.max(wanted.end - wanted.start, CLOSEST), end - 0.5);
    const middle = (wanted.start + wanted.end) / 2;
    const start = Math.min(Math.max(0.5, middle - length / 2), end - length);
    this.shared.span = { start, end: start + length };
    this.#whole.hidden = this.#isWhole();
    this.#redraw();
  }

  // ── what the hands ask for ──────────────────────────────────────────────────────────────────

  mode(): DragModes["mode"] {
    return this.#modes.mode;
  }

  known(index: number): string | undefined {
    return this.#names.get(index);
  }

  async name(index: number): Promise<void> {
    try {
      const path = paths.table(this.#model.get("run_id"), [], index, 1);
      const table = await getJson<RunTable>(this.#source, path, this.#scope.signal);
      this.#names.set(index, table.names[0] ?? "");
    } catch (error) {
      // a name is a nicety: without it the number stands, and it is asked for with the next rest
      if (!isAbort(error)) this.#names.delete(index);
    }
  }

  open(index: number): void {
    // the same one may be opened twice: a trait only tells of changes
    save(this.#model, { opened: -1 });
    save(this.#model, { opened: index });
  }

  judge(verdict: string): void {
    const said = new Set(this.selection.indices);
    if (!this.#model.get<boolean>("may_judge") || said.size === 0) return;
    const words = `${ranges(this.selection.indices)} ${verdict}`;
    const others = (indices: number[]): number[] => indices.filter((index) => !said.has(index));
    const columns = this.#columns;
    columns.accepted = [...others(columns.accepted), ...(verdict === "accepted" ? said : [])];
    columns.rejected = [...others(columns.rejected), ...(verdict === "rejected" ? said : [])];
    this.selection.choose([]);
    this.preview();
    save(this.#model, { judged: "" });
    save(this.#model, { judged: words });
  }
}

function render(context: RenderContext): Cleanup {
  const { el } = context;
  const model = withDefaults(context.model, DEFAULTS.run_dataviz);
  const scope = new Scope();
  installTheme(el, model, scope, { widget: "athena-run-dataviz", css });
  let inner = new Scope();
  scope.defer(() => inner.close());
  scope.follow(model, "run_id", () => {
    inner.close();
    inner = new Scope();
    new Dataviz(el, model, inner);
  });
  return () => scope.close();
}

export default { render };
