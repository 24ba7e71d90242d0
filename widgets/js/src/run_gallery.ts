// The acquisitions of a run as a live, virtual gallery.

import type { Acquisition, AcquisitionCurves, AcquisitionPage, Run } from "./api.gen";
import { BatchCache } from "./batch_cache";
import { canvasStyles } from "./canvas_styles";
import { DEFAULTS } from "./catalogue.gen";
import { h } from "./dom";
import type { Rule, RuleMetric } from "./filter_rules";
import { GalleryHeader, type Order } from "./gallery_header";
import type { GalleryContext, Mode } from "./gallery_item";
import { GalleryList } from "./gallery_list";
import { type Cleanup, type Model, type RenderContext, Scope, save, withDefaults } from "./model";
import * as paths from "./paths";
import { PictureCache } from "./picture_cache";
import { type Group, RunData, type Verdict } from "./run_data";
import css from "./run_gallery.css";
import { type DataSource, getJson, isAbort, openSource } from "./source";
import { StatePane } from "./state_pane";
import { installTheme } from "./theme";

const CURVES_AT_ONCE = 48;
const RETRY_MS = 5_000;
const EMPTY: Record<Exclude<Group, "all">, [string, string?]> = {
  filtered: ["The filter keeps none", "Of those finished so far, none matches every rule."],
  excluded: ["Nothing is excluded", "The filter keeps every finished micrograph."],
  finished: ["None is finished yet"],
  progress: ["Nothing is in progress"],
  error: ["No errors", "Every micrograph so far is fine or under way."],
};
const VERDICT_KEYS: Record<string, Verdict> = { c: "accepted", x: "rejected" };

/** Batches of curves and of places (hole, square) for what is on screen. */
function caches(source: DataSource, runId: string, scope: Scope, arrived: (indices: number[]) => void) {
  const curves = new BatchCache<AcquisitionCurves>(
    CURVES_AT_ONCE,
    async (indices) => {
      const found = await getJson<AcquisitionCurves[]>(source, paths.curves(runId, indices), scope.signal);
      return new Map(found.map((curve) => [curve.index, curve]));
    },
    arrived,
  );
  const places = new BatchCache<Acquisition>(
    CURVES_AT_ONCE,
    async (indices) => {
      const [first, last] = [Math.min(...indices), Math.max(...indices)];
      const limit = Math.min(last - first + 1, 4 * CURVES_AT_ONCE);
      const page = await getJson<AcquisitionPage>(source, paths.acquisitions(runId, first, limit), scope.signal);
      return new Map(page.items.map((item) => [item.index, item]));
    },
    arrived,
  );
  scope.defer(() => {
    curves.close();
    places.close();
  });
  return { curves, places };
}

class Gallery {
  readonly #model: Model;
  readonly #scope: Scope;
  readonly #source: DataSource;
  readonly #data: RunData;
  readonly #list: GalleryList;
  readonly #header: GalleryHeader;
  readonly #pane = new StatePane(() => this.pull());
  readonly #curves: BatchCache<AcquisitionCurves>;
  readonly #places: BatchCache<Acquisition>;
  #retry = 0;

  constructor(el: HTMLElement, model: Model, scope: Scope) {
    this.#model = model;
    this.#scope = scope;
    this.#source = openSource(model);
    const pictures = new PictureCache(this.#source);
    scope.defer(() => {
      clearTimeout(this.#retry);
      pictures.close();
      this.#source.close();
    });
    const runId = model.get<string>("run_id");
    this.#data = new RunData(this.#source, runId, scope.signal, (first, last) => this.#arrived(first, last));
    const stores = caches(this.#source, runId, scope, (indices) => this.#list.redraw(indices));
    this.#curves = stores.curves;
    this.#places = stores.places;
    let styles = canvasStyles(el);
    const context: GalleryContext = {
      runId,
      data: this.#data,
      pictures,
      curvesOf: (index) => stores.curves.get(index),
      placeOf: (index) => stores.places.get(index),
      style: () => styles,
      driftLimit: () => model.get<number>("drift_limit_angstrom"),
      mayJudge: () => model.get<boolean>("may_judge"),
    };
    this.#list = new GalleryList(context, scope, (indices) => this.#seen(indices));
    this.#header = new GalleryHeader({
      group: (group) => {
        save(model, { shown: group });
      },
      mode: (mode) => save(model, { mode }),
      order: (order) => save(model, { order }),
      rules: () => {
        save(model, { wanted: "" });
        save(model, { wanted: "rules" });
      },
    });
    const body = h("div", { class: "gallery-body" }, this.#list.node, this.#pane.node);
    const root = h("div", { class: "gallery" }, this.#header.node, body);
    el.append(root);
    scope.defer(() => root.remove());
    scope.listen(el, "athena-theme" as "change", () => {
      styles = canvasStyles(el);
      this.#list.redraw(undefined, true);
    });
    scope.follow<number>(model, "height", (height) => {
      root.style.height = `${height}px`;
    });
    this.#listen();
    this.#pane.loading();
  }

  /** What is shown: as chosen, else what the filter keeps where there is one. */
  get #group(): Group {
    const shown = this.#model.get<Group | "">("shown");
    return shown || (this.#data.rules.length > 0 ? "filtered" : "all");
  }

  #arrange(mode: Mode, order: Order): void {
    this.#header.said();
    this.#header.choose(this.#group, mode, order);
    this.#list.arrange(mode, order, this.#data.indicesOf(this.#group));
    this.#explainEmpty();
  }

  #count(): void {
    this.#header.counts(this.#data.counts, this.#data.rules, {
      metrics: this.#model.get<RuleMetric[]>("metrics"),
      mayChange: this.#model.get<boolean>("may_filter"),
    });
  }

  #listen(): void {
    const { node } = this.#list;
    const arrange = (): void => this.#arrange(this.#model.get<Mode>("mode"), this.#model.get<Order>("order"));
    this.#scope.follow<Rule[]>(this.#model, "rules", (rules) => {
      this.#data.filter(rules);
      this.#count();
      arrange();
      this.pull();
    });
    this.#scope.follow(this.#model, "metrics", () => this.#count());
    this.#scope.follow(this.#model, "shown", arrange);
    this.#scope.follow(this.#model, "mode", arrange);
    this.#scope.follow(this.#model, "order", arrange);
    this.#scope.follow(this.#model, "drift_limit_angstrom", () => this.#list.redraw());
    this.#scope.follow<string>(this.#model, "problem", (problem) => {
      this.#header.refused(problem);
      // what was shown at once did not come about
      if (problem) this.#data.reread();
      if (problem) this.pull();
    });
    this.#scope.follow(this.#model, "may_judge", () => this.#list.redraw());
    this.#scope.follow<number>(this.#model, "selected", (index) => {
      this.#list.select(index);
      this.#list.reveal(index);
    });
    this.#scope.follow(this.#model, "version", () => this.pull());
    this.#scope.listen(node, "click", (event) => {
      const target = event.target as Element;
      const item = target.closest<HTMLElement>("[data-index]");
      if (!item) return;
      const judge = target.closest<HTMLElement>("[data-judge]")?.dataset.judge as Verdict | undefined;
      if (judge) this.#judge(Number(item.dataset.index), judge);
      else this.#open(Number(item.dataset.index));
    });
    this.#scope.listen(node, "keydown", (event) => this.#key(event));
    this.#scope.listen(this.#header.filter.node, "keydown", (event) => {
      if (event.key !== "Escape" || !this.#header.filter.node.open) return;
      event.preventDefault();
      this.#header.filter.node.open = false;
      node.focus();
    });
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const list = this.#list;
    const steps: Record<string, number> = {
      ArrowDown: list.columns,
      ArrowUp: -list.columns,
      ArrowRight: list.columns > 1 ? 1 : 0,
      ArrowLeft: list.columns > 1 ? -1 : 0,
      PageDown: list.rowsInView * list.columns,
      PageUp: -list.rowsInView * list.columns,
      Home: -list.length,
      End: list.length,
    };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      this.#select(list.neighbour(list.selected, step));
    } else if ((event.key === "Enter" || event.key === " ") && list.selected >= 0) {
      event.preventDefault();
      this.#open(list.selected);
    } else if (list.selected >= 0 && VERDICT_KEYS[event.key]) {
      event.preventDefault();
      this.#judge(list.selected, VERDICT_KEYS[event.key] as Verdict);
    } else if (event.key === "f") {
      event.preventDefault();
      this.#header.filter.open();
    }
  }

  /** Accept or reject by hand; the same once more takes it back. */
  #judge(index: number, verdict: Verdict): void {
    if (!this.#model.get<boolean>("may_judge")) return;
    const before = this.#data.verdict(index);
    const said = before === verdict ? undefined : verdict;
    const next = this.#list.beside(index);
    this.#say(index, said);
    if (this.#list.has(index)) return this.#list.redraw([index]);
    // it does not belong here any more: on to the next, with a way back
    if (this.#list.selected === index) this.#select(next);
    const words = `${this.#data.names[index] ?? index} ${said ?? "as the rules say"}.`;
    this.#header.said(words, () => {
      this.#say(index, before);
      this.#header.said();
      this.#select(index);
      this.#list.node.focus();
    });
  }

  #say(index: number, verdict: Verdict | undefined): void {
    this.#data.judge(index, verdict);
    // the same may be said twice: a trait only tells of changes
    save(this.#model, { judged: "" });
    save(this.#model, { judged: `${index} ${verdict ?? ""}` });
  }

  #select(index: number): void {
    save(this.#model, { selected: index });
    this.#list.select(index);
    this.#list.reveal(index);
  }

  #open(index: number): void {
    this.#select(index);
    // the same one may be opened twice: a trait only tells of changes
    save(this.#model, { opened: -1 });
    save(this.#model, { opened: index });
  }

  #seen(indices: number[]): void {
    if (this.#list.mode !== "extended") return;
    this.#curves.want(indices.filter((index) => this.#data.states[index] === "completed"));
    this.#places.want(indices);
  }

  #arrived(first: number, last: number): void {
    this.#count();
    if (last < 0) return this.#explainEmpty();
    // what was asked for too early is asked for again
    const renewed = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    this.#curves.drop(renewed.filter((index) => !this.#curves.get(index)?.frequency.length));
    if (this.#list.length === 0) this.#arrange(this.#list.mode, this.#list.order);
    else this.#list.update(this.#data.indicesOf(this.#group));
    this.#explainEmpty();
  }

  #explainEmpty(): void {
    if (this.#list.length > 0) return this.#pane.done();
    if (!this.#data.loaded) return;
    if (this.#group === "all") void this.#explainSource();
    else this.#pane.empty(...EMPTY[this.#group]);
  }

  async #explainSource(): Promise<void> {
    try {
      const run = await getJson<Run>(this.#source, paths.run(this.#model.get("run_id")), this.#scope.signal);
      if (this.#list.length > 0) return;
      const { source } = run;
      if (!source)
        this.#pane.empty("No micrographs yet", "Attach a session folder to this run, and it fills by itself.");
      else
        this.#pane.empty(
          "No micrographs yet",
          source.message || "They show here as soon as the microscope writes them.",
        );
    } catch (error) {
      if (!isAbort(error)) this.#pane.error(error);
    }
  }

  /** Pull what changed; an error is shown only while there is nothing else to show. */
  pull(): void {
    if (!this.#model.get<string>("run_id")) return this.#pane.empty("No run chosen");
    this.#data.pull(this.#model.get<Order>("order") === "newest").catch((error: unknown) => {
      if (isAbort(error) || this.#scope.signal.aborted) return;
      if (this.#data.total === 0) this.#pane.error(error);
      clearTimeout(this.#retry);
      this.#retry = window.setTimeout(() => this.pull(), RETRY_MS);
    });
  }
}

function render(context: RenderContext): Cleanup {
  const { el } = context;
  const model = withDefaults(context.model, DEFAULTS.run_gallery);
  const scope = new Scope();
  installTheme(el, model, scope, { widget: "athena-run-gallery", css });
  let inner = new Scope();
  scope.defer(() => inner.close());
  scope.follow(model, "run_id", () => {
    inner.close();
    inner = new Scope();
    new Gallery(el, model, inner);
  });
  return () => scope.close();
}

export default { render };
