// Motion of one movie: traces of every patch over a ghost of the micrograph, and the drift from frame to frame.

import { type AcquisitionData, followAcquisition } from "./acquisition_view";
import type { ImageInfo } from "./api.gen";
import { canvasStyles } from "./canvas_styles";
import { DEFAULTS, type MetricName } from "./catalogue.gen";
import { h, prepareCanvas } from "./dom";
import { drawFrameDrift } from "./draw_frames";
import { autoScale, drawMotion, type Frame } from "./draw_motion";
import { type Cleanup, type Model, type RenderContext, Scope, save, withDefaults } from "./model";
import css from "./motion_traces.css";
import * as paths from "./paths";
import { PictureCache } from "./picture_cache";
import { type DataSource, getJson, isAbort, openSource } from "./source";
import { StatePane } from "./state_pane";
import { installTheme } from "./theme";
import { arrow, fixed, metric } from "./units";

const COLUMNS = [
  "drift_total_angstrom",
  "drift_direction_deg",
  "drift_early_angstrom",
  "drift_late_angstrom",
] as const satisfies readonly MetricName[];
const SCALES = ["auto", "50", "100", "200"] as const;
type ScaleChoice = (typeof SCALES)[number];

/** Where a (width, height) image lies in the square thumbnail: centred, its longer edge filling it. */
function imageFrame(info: ImageInfo, edge: number): Frame {
  const shrink = edge / Math.max(info.width, info.height);
  const [width, height] = [info.width * shrink, info.height * shrink];
  return { x: (edge - width) / 2, y: (edge - height) / 2, width, height };
}

class MotionPanel {
  readonly #el: HTMLElement;
  readonly #model: Model;
  readonly #source: DataSource;
  readonly #scope: Scope;
  readonly #pictures: PictureCache;
  readonly #facts = h("div", { class: "facts", "data-athena": "drift" });
  readonly #ghost = h("img", { class: "ghost", alt: "" });
  readonly #canvas = h("canvas", { class: "plot", "data-athena": "traces" });
  readonly #frames = h("canvas", { class: "frames", "data-athena": "frame-drift" });
  readonly #stage = h("div", { class: "trace-stage" }, this.#ghost, this.#canvas);
  readonly #buttons = new Map<ScaleChoice, HTMLButtonElement>();
  #data: AcquisitionData | undefined;
  #info: ImageInfo | undefined;

  constructor(el: HTMLElement, model: Model, scope: Scope) {
    this.#el = el;
    this.#model = model;
    this.#scope = scope;
    this.#source = openSource(model);
    this.#pictures = new PictureCache(this.#source);
    const pane = new StatePane(() => again());
    const root = h(
      "div",
      { class: "motion-panel" },
      h("div", { class: "panel-head" }, this.#facts, this.#switch()),
      this.#stage,
      this.#legend(),
      h("div", { class: "chart-title muted" }, "Shift from frame to frame"),
      this.#frames,
      pane.node,
    );
    el.append(root);
    scope.defer(() => {
      root.remove();
      this.#pictures.close();
      this.#source.close();
    });
    const again = followAcquisition(model, { source: this.#source, pane, scope, columns: COLUMNS }, (data) => {
      this.#data = data;
      this.#info = undefined;
      if (data) void this.#load(data);
    });
    scope.follow<number>(model, "height", (height) => {
      root.style.height = `${height}px`;
    });
    scope.follow(model, "scale", () => this.#draw());
    scope.follow(model, "drift_limit_angstrom", () => this.#describe());
    scope.listen(el, "athena-theme" as "change", () => this.#draw());
    const observer = new ResizeObserver(() => this.#draw());
    observer.observe(root);
    scope.defer(() => observer.disconnect());
  }

  #switch(): HTMLElement {
    for (const scale of SCALES) {
      const button = h("button", { type: "button", class: "chip", "data-athena": `scale-${scale}` });
      button.addEventListener("click", () => save(this.#model, { scale }));
      this.#buttons.set(scale, button);
    }
    return h("div", { class: "chips", role: "group", "aria-label": "Length of traces" }, ...this.#buttons.values());
  }

  #legend(): HTMLElement {
    const entry = (name: string, text: string): HTMLElement =>
      h("span", { class: "entry" }, h("span", { class: `line ${name}`, "aria-hidden": "true" }), text);
    return h("div", { class: "legend muted" }, entry("trace", "patches"), entry("mean", "whole frame"));
  }

  async #load(data: AcquisitionData): Promise<void> {
    this.#describe();
    this.#ghost.hidden = true;
    this.#draw();
    try {
      const [info, url] = await Promise.all([
        getJson<ImageInfo>(this.#source, paths.imageInfo(data.runId, data.index), this.#scope.signal),
        this.#pictures.load(paths.thumbnail(data.runId, data.index), this.#scope.signal),
      ]);
      if (this.#data !== data) return;
      this.#info = info;
      this.#ghost.src = url;
      this.#ghost.hidden = false;
    } catch (error) {
      // without the image the traces still say how it moved; only their true length is unknown
      if (isAbort(error)) return;
    }
    this.#draw();
  }

  #describe(): void {
    const values = this.#data?.values;
    if (!values) return this.#facts.replaceChildren();
    const total = values.drift_total_angstrom;
    const limit = this.#model.get<number>("drift_limit_angstrom");
    const direction = values.drift_direction_deg;
    const high = typeof total === "number" && total > limit;
    const verdict = high ? `▲ above ${fixed(limit, 0)}\u2009Å` : typeof total === "number" ? "in range" : "";
    this.#facts.replaceChildren(
      h("strong", {}, metric("drift_total_angstrom", total)),
      h("span", { class: "muted" }, typeof direction === "number" ? `${arrow(direction)} ${fixed(direction, 0)}°` : ""),
      h("span", { class: high ? "alarmed" : "muted", "data-athena": "drift-verdict" }, verdict),
    );
  }

  #draw(): void {
    const data = this.#data;
    const style = canvasStyles(this.#el);
    const edge = this.#stage.clientWidth;
    if (!data || edge === 0) return;
    const frame = this.#info ? imageFrame(this.#info, edge) : { x: 0, y: 0, width: edge, height: edge };
    const auto = autoScale(data.curves, frame);
    const info = this.#info;
    const truePixels = info ? frame.width / (info.width * info.pixel_size_angstrom) : undefined;
    const choice = this.#model.get<ScaleChoice>("scale");
    const scale = choice === "auto" || !truePixels ? auto : Number(choice) * truePixels;
    for (const [name, button] of this.#buttons) {
      const factor = truePixels ? ` (${fixed(auto / truePixels, 0)}×)` : "";
      button.textContent = name === "auto" ? `Auto${factor}` : `${name}×`;
      button.setAttribute("aria-pressed", String(name === choice));
      button.disabled = name !== "auto" && !truePixels;
    }
    drawMotion(prepareCanvas(this.#canvas, edge, edge), data.curves, { frame, scale, style: style.motion });
    const [width, height] = [this.#frames.clientWidth, this.#frames.clientHeight];
    drawFrameDrift(prepareCanvas(this.#frames, width, height), data.curves, { width, height, style: style.ctf });
  }
}

function render(context: RenderContext): Cleanup {
  const scope = new Scope();
  const model = withDefaults(context.model, DEFAULTS.motion_traces);
  installTheme(context.el, model, scope, { widget: "athena-motion-traces", css });
  new MotionPanel(context.el, model, scope);
  return () => scope.close();
}

export default { render };
