// CTF of one micrograph: the 1-D curves with a legend that switches them, and the zoomable 2-D fit.

import { type AcquisitionData, followAcquisition } from "./acquisition_view";
import { canvasStyles } from "./canvas_styles";
import { DEFAULTS, METRICS, type MetricName } from "./catalogue.gen";
import css from "./ctf_fit.css";
import { h, prepareCanvas } from "./dom";
import { type CtfAxes, drawCtf, SERIES, type Series } from "./draw_ctf";
import { type Cleanup, type RenderContext, Scope, withDefaults } from "./model";
import { openSource } from "./source";
import { StatePane } from "./state_pane";
import { installTheme } from "./theme";
import { fixed, metric } from "./units";
import { mountViewer } from "./viewer";
import viewerCss from "./viewer.css";

const COLUMNS = [
  "ctf_resolution_angstrom",
  "defocus_um",
  "astigmatism_nm",
  "astigmatism_angle_deg",
  "phase_shift_deg",
  "ctf_score",
] as const satisfies readonly MetricName[];
const NAMES: Record<Series, string> = { experimental: "Experimental", theory: "Theory", quality: "Fit quality" };
/** Below 30 Å the background fit has no hold. */
const LOWEST_SHOWN = 1 / 30;

class CtfPanel {
  readonly #el: HTMLElement;
  readonly #facts = h("div", { class: "facts", "data-athena": "ctf-facts" });
  readonly #canvas = h("canvas", { class: "plot", "data-athena": "curve" });
  readonly #readout = h("div", { class: "curve-readout muted", "data-athena": "curve-readout" });
  readonly #chart = h("div", { class: "chart" }, this.#canvas);
  readonly #shown = new Set<Series>(["experimental", "theory"]);
  #data: AcquisitionData | undefined;
  #axes: CtfAxes | undefined;
  #pointer: number | undefined;

  constructor(el: HTMLElement, context: RenderContext, scope: Scope) {
    this.#el = el;
    const model = context.model;
    const source = openSource(model);
    const pane = new StatePane(() => again());
    const stage = h("div", { class: "viewer-stage", "data-athena": "viewer" });
    const root = h(
      "div",
      { class: "ctf-panel" },
      this.#facts,
      h("div", { class: "chart-head" }, this.#legend(), this.#readout),
      this.#chart,
      stage,
      pane.node,
    );
    el.append(root);
    scope.defer(() => {
      root.remove();
      source.close();
    });
    const viewer = mountViewer(stage, source, scope, "spectrum_fit");
    const again = followAcquisition(model, { source, pane, scope, columns: COLUMNS }, (data) => {
      this.#data = data;
      this.#describe();
      this.#draw();
      if (data) viewer.want({ runId: data.runId, index: data.index, content: "spectrum_fit" });
    });
    scope.follow<number>(model, "height", (height) => {
      root.style.height = `${height}px`;
    });
    scope.listen(el, "athena-theme" as "change", () => this.#draw());
    scope.listen(this.#chart, "pointermove", (event) => {
      this.#pointer = event.clientX - this.#chart.getBoundingClientRect().left;
      this.#draw();
    });
    scope.listen(this.#chart, "pointerleave", () => {
      this.#pointer = undefined;
      this.#draw();
    });
    const observer = new ResizeObserver(() => this.#draw());
    observer.observe(root);
    scope.defer(() => observer.disconnect());
  }

  #legend(): HTMLElement {
    const buttons = SERIES.map((series) => {
      const button = h(
        "button",
        {
          type: "button",
          class: "legend-entry",
          "data-athena": `legend-${series}`,
        },
        h("span", { class: `line ${series}`, "aria-hidden": "true" }),
        NAMES[series],
      );
      button.setAttribute("aria-pressed", String(this.#shown.has(series)));
      button.addEventListener("click", () => {
        if (!this.#shown.delete(series)) this.#shown.add(series);
        button.setAttribute("aria-pressed", String(this.#shown.has(series)));
        this.#draw();
      });
      return button;
    });
    return h("div", { class: "legend", role: "group", "aria-label": "Curves" }, ...buttons);
  }

  #describe(): void {
    const values = this.#data?.values ?? {};
    const wanted = COLUMNS.filter((name) => name !== "phase_shift_deg" || (values[name] ?? 0) !== 0);
    this.#facts.replaceChildren(
      ...wanted.map((name) =>
        // no <dl>: JupyterLab floats what is inside one
        h(
          "div",
          {},
          h("div", { class: "label muted" }, METRICS[name].label),
          h("strong", {}, metric(name, values[name])),
        ),
      ),
    );
  }

  #draw(): void {
    const [width, height] = [this.#chart.clientWidth, this.#chart.clientHeight];
    if (width === 0 || height === 0) return;
    const context = prepareCanvas(this.#canvas, width, height);
    if (!this.#data) return;
    const style = canvasStyles(this.#el).ctf;
    const { curves, values } = this.#data;
    this.#axes = drawCtf(context, curves, {
      width,
      height,
      style,
      shown: this.#shown,
      resolution: values.ctf_resolution_angstrom,
      axes: true,
      lowest: LOWEST_SHOWN,
    });
    this.#hover(context, style.text);
  }

  /** A line under the pointer and the values there. */
  #hover(context: CanvasRenderingContext2D, colour: string): void {
    const [axes, data, x] = [this.#axes, this.#data, this.#pointer];
    if (!axes || !data || x === undefined || x < axes.left || x > axes.right) {
      this.#readout.textContent = "";
      return;
    }
    const { frequency } = data.curves;
    const at = axes.frequencyAt(x);
    const nearest = frequency.reduce(
      (best, f, i) => (Math.abs(f - at) < Math.abs((frequency[best] ?? 0) - at) ? i : best),
      0,
    );
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(x) + 0.5, axes.top);
    context.lineTo(Math.round(x) + 0.5, axes.bottom);
    context.stroke();
    const parts = SERIES.filter((series) => this.#shown.has(series)).map(
      (series) => `${NAMES[series].toLowerCase()} ${fixed(data.curves[series][nearest], 2)}`,
    );
    this.#readout.textContent = [at > 0 ? `${fixed(1 / at, 1)}\u2009Å` : "", ...parts].join(" · ");
  }
}

function render(context: RenderContext): Cleanup {
  const scope = new Scope();
  const model = withDefaults(context.model, DEFAULTS.ctf_fit);
  installTheme(context.el, model, scope, { widget: "athena-ctf-fit", css: viewerCss + css });
  new CtfPanel(context.el, { model, el: context.el }, scope);
  return () => scope.close();
}

export default { render };
