// One acquisition in the gallery: nodes that are filled again and again as the list scrolls.

import type { Acquisition, AcquisitionCurves } from "./api.gen";
import { h, prepareCanvas } from "./dom";
import { type CtfStyle, drawCtf } from "./draw_ctf";
import { autoScale, drawMotion, type MotionStyle } from "./draw_motion";
import * as paths from "./paths";
import type { PictureCache } from "./picture_cache";
import { ringAverage } from "./ring_average";
import { groupOf, type RunData } from "./run_data";
import { arrow, clock, fixed, fullTime, metric, metricLabel } from "./units";

export type Mode = "extended" | "cards";

/** What every item draws from. */
export interface GalleryContext {
  runId: string;
  data: RunData;
  pictures: PictureCache;
  curvesOf(index: number): AcquisitionCurves | undefined;
  placeOf(index: number): Acquisition | undefined;
  style(): { motion: MotionStyle; ctf: CtfStyle };
  driftLimit(): number;
  mayJudge(): boolean;
}

const STATE_TEXT: Record<string, string> = {
  completed: "Completed",
  error: "Error",
  processing: "In progress",
  registered: "Waiting",
  awaiting_movie: "No movie yet",
  left_out: "Not in this branch",
};
const SHAPE: Record<string, string> = { finished: "●", progress: "◐", error: "▲" };
const VERDICT_TEXT = { accepted: "✓ accepted", rejected: "✕ rejected" };
const LOWEST_SHOWN = 1 / 30;
/** Share of the motion card left free around the patches, for traces that run outwards. */
const TRACE_MARGIN = 0.07;

/** A name that breaks after its underscores, where its parts end. */
const breakable = (name: string): (string | HTMLElement)[] =>
  name.split(/(?<=_)/).flatMap((part, at) => (at ? [document.createElement("wbr"), part] : [part]));

const unixSeconds = (iso: string | null | undefined): number | null => (iso ? Date.parse(iso) / 1000 : null);

/** A picture box that shows a skeleton until its picture is there. */
class Picture {
  readonly node: HTMLElement;
  readonly #image = h("img", { alt: "", draggable: "false", decoding: "async" });
  #path: string | undefined;
  #abort: AbortController | undefined;

  constructor(hook: string) {
    this.#image.hidden = true;
    this.node = h("div", { class: "picture", "data-athena": hook }, this.#image);
  }

  /** `undefined` for none. Asks only when `load`; otherwise shows it if it is here. */
  show(path: string | undefined, cache: PictureCache, load: boolean): void {
    if (path !== this.#path) {
      this.#abort?.abort();
      this.#abort = undefined;
      this.#path = path;
      this.#image.hidden = true;
      this.node.classList.toggle("skeleton", path !== undefined);
    }
    if (path === undefined || !this.#image.hidden) return;
    const here = cache.peek(path);
    if (here !== undefined) this.#set(here);
    else if (load && !this.#abort) {
      const abort = new AbortController();
      this.#abort = abort;
      cache.load(path, abort.signal).then(
        (url) => path === this.#path && this.#set(url),
        () => this.#abort === abort && this.node.classList.remove("skeleton"),
      );
    }
  }

  #set(url: string): void {
    this.#image.src = url;
    this.#image.hidden = false;
    this.node.classList.remove("skeleton");
  }
}

export class GalleryItem {
  readonly node: HTMLElement;
  readonly #context: GalleryContext;
  readonly #mode: Mode;
  readonly #thumbnail = new Picture("thumbnail");
  readonly #spectrum = new Picture("spectrum");
  readonly #traces = h("canvas", { class: "plot", "data-athena": "traces" });
  readonly #curve = h("canvas", { class: "plot", "data-athena": "curve" });
  readonly #drift = h("div", { class: "caption" });
  readonly #alarm = h("span", { class: "alarm", role: "img", "data-athena": "drift-alarm", hidden: true }, "▲");
  readonly #fit = h("div", { class: "caption" });
  readonly #judge = h(
    "div",
    { class: "judge" },
    h("span", { "data-judge": "accepted", title: "Accept (c)" }, "✓"),
    h("span", { "data-judge": "rejected", title: "Reject (x)" }, "✕"),
  );
  readonly #name = h("div", { class: "name" });
  readonly #status = h("div", { class: "status" });
  readonly #place = h("div", { class: "place muted" });
  readonly #problem = h("div", { class: "problem" });
  readonly #values = h("div", { class: "values" });
  index = -1;
  #drawn: AcquisitionCurves | undefined;
  #size = 0;

  constructor(context: GalleryContext, mode: Mode) {
    this.#context = context;
    this.#mode = mode;
    const text = [this.#name, this.#status];
    this.#thumbnail.node.append(this.#judge);
    const parts =
      mode === "cards"
        ? [this.#thumbnail.node, h("div", { class: "info" }, ...text, this.#values, this.#problem)]
        : [
            this.#thumbnail.node,
            h("div", { class: "panel motion" }, this.#traces, this.#drift, this.#alarm),
            this.#spectrum.node,
            h("div", { class: "panel ctf" }, this.#curve, this.#fit),
            h("div", { class: "info" }, ...text, this.#place, this.#problem),
          ];
    this.node = h("div", { class: `item ${mode}`, role: "option", "data-athena": "acquisition" }, ...parts);
  }

  /** Show an acquisition. `load`: the list stands still, so pictures may be asked for. */
  fill(index: number, size: number, load: boolean): void {
    const { data, runId, pictures } = this.#context;
    if (index !== this.index || size !== this.#size) {
      this.#drawn = undefined;
      this.#wipe();
    }
    this.index = index;
    this.#size = size;
    const state = data.states[index] ?? "";
    this.node.dataset.index = String(index);
    this.node.dataset.state = state;
    this.node.id = `athena-${runId}-${index}`;
    const completed = state === "completed";
    this.node.classList.toggle("compact", this.#mode === "extended" && !completed);
    this.#thumbnail.show(completed ? paths.thumbnail(runId, index) : undefined, pictures, load);
    if (this.#mode === "extended") {
      this.#spectrum.show(completed ? paths.spectrum(runId, index, true) : undefined, pictures, load);
      this.#captions();
    } else this.#numbers();
    this.#texts(state);
    this.draw();
  }

  #texts(state: string): void {
    const { data } = this.#context;
    const name = data.names[this.index] ?? "";
    this.#name.replaceChildren(h("bdi", {}, ...(this.#mode === "cards" ? [name] : breakable(name))));
    this.#name.title = name;
    const group = groupOf(state);
    const place = this.#context.placeOf(this.index);
    // the column is written with the results; before that the catalogue knows
    const acquired = data.value(this.index, "acquired_unix_s") ?? unixSeconds(place?.acquired);
    const time = h("span", { class: "time", title: fullTime(acquired) }, clock(acquired));
    const verdict = data.verdict(this.index);
    this.node.dataset.verdict = verdict ?? "";
    this.#judge.hidden = !this.#context.mayJudge() && !verdict;
    this.#status.replaceChildren(
      h("span", { class: "dot", "data-group": group, "aria-hidden": "true" }, SHAPE[group] ?? "○"),
      // there is room for one word: what people said of it goes before how its processing ended
      verdict
        ? h(
            "span",
            { class: "judged", "data-athena": "verdict", title: STATE_TEXT[state] ?? state },
            VERDICT_TEXT[verdict],
          )
        : h("span", { class: "stands" }, STATE_TEXT[state] ?? state),
      time,
    );
    this.#problem.textContent = data.errors[this.index] ?? "";
    this.#problem.title = this.#problem.textContent;
    const known = [
      ["hole", place?.foil_hole_id],
      ["square", place?.grid_square_id],
    ].filter(([, id]) => id !== null && id !== undefined);
    this.#place.replaceChildren(...known.map(([word, id]) => h("span", {}, `${word} ${id}`)));
  }

  #captions(): void {
    const { data, driftLimit } = this.#context;
    const drift = data.value(this.index, "drift_total_angstrom");
    const angle = data.value(this.index, "drift_direction_deg");
    const known = typeof drift === "number";
    this.#drift.replaceChildren(
      known ? metric("drift_total_angstrom", drift) : "",
      known && typeof angle === "number" ? ` ${arrow(angle)} ${fixed(angle, 0)}°` : "",
    );
    this.#alarm.hidden = !(known && drift > driftLimit());
    this.#alarm.title = known ? `Drift ${metricLabel("drift_total_angstrom", drift)} is above ${driftLimit()} Å` : "";
    this.#alarm.setAttribute("aria-label", this.#alarm.title);
    const resolution = data.value(this.index, "ctf_resolution_angstrom");
    const gap = (): HTMLElement => h("span", { class: "gap muted", "aria-hidden": "true" }, "┊");
    this.#fit.replaceChildren(
      ...(typeof resolution === "number"
        ? [
            metric("ctf_resolution_angstrom", resolution),
            gap(),
            metric("defocus_um", data.value(this.index, "defocus_um")),
            gap(),
            metric("astigmatism_nm", data.value(this.index, "astigmatism_nm")),
          ]
        : []),
    );
    this.#fit.title = typeof resolution === "number" ? "CTF resolution, defocus, astigmatism" : "";
  }

  #numbers(): void {
    const { data, driftLimit } = this.#context;
    const drift = data.value(this.index, "drift_total_angstrom");
    const high = typeof drift === "number" && drift > driftLimit();
    const resolution = data.value(this.index, "ctf_resolution_angstrom");
    const cell = (title: string, node: Node, extra = ""): HTMLElement => h("span", { title, class: extra }, node);
    this.#values.replaceChildren(
      ...(typeof resolution === "number"
        ? [
            cell("CTF resolution", metric("ctf_resolution_angstrom", resolution)),
            cell("Defocus", metric("defocus_um", data.value(this.index, "defocus_um"))),
            cell(
              high ? "Total drift, out of range" : "Total drift",
              metric("drift_total_angstrom", drift),
              high ? "alarmed" : "",
            ),
          ]
        : []),
    );
  }

  #wipe(): void {
    for (const canvas of [this.#traces, this.#curve])
      canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
  }

  /** Draw traces and curve if they are here and not drawn yet. */
  draw(again = false): void {
    if (this.#mode !== "extended") return;
    const { data, style, curvesOf } = this.#context;
    const curves = data.states[this.index] === "completed" ? curvesOf(this.index) : undefined;
    if (!curves || (curves === this.#drawn && !again)) return;
    this.#drawn = curves;
    const { motion, ctf } = style();
    const [width, height] = [this.#traces.clientWidth, this.#traces.clientHeight];
    const margin = TRACE_MARGIN * Math.min(width, height);
    const frame = { x: margin, y: margin, width: width - 2 * margin, height: height - 2 * margin };
    const scale = autoScale(curves, frame);
    drawMotion(prepareCanvas(this.#traces, width, height), curves, { frame, scale, style: motion });
    const [w, hgt] = [this.#curve.clientWidth, this.#curve.clientHeight];
    const smooth = { ...curves, experimental: ringAverage(curves) };
    drawCtf(prepareCanvas(this.#curve, w, hgt), smooth, {
      width: w,
      height: hgt,
      style: ctf,
      shown: new Set(["experimental", "theory"]),
      resolution: data.value(this.index, "ctf_resolution_angstrom"),
      axes: false,
      lowest: LOWEST_SHOWN,
    });
  }
}
