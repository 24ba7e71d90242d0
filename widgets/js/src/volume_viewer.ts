// A volume: three planes that meet in a crosshair, and the volume in space beside them (WS-06).

import { DEFAULTS } from "./catalogue.gen";
import { h } from "./dom";
import { type Cleanup, type Model, type RenderContext, Scope, save, withDefaults } from "./model";
import type { VolumePlace } from "./paths";
import { isAbort, openSource } from "./source";
import { StatePane } from "./state_pane";
import { installTheme } from "./theme";
import { fixed } from "./units";
import viewerCss from "./viewer.css";
import { type BarHost, VolumeBar } from "./volume_bar";
import { type Axis, type Place, planeOf, shapeOf, slabOf, type Texture } from "./volume_data";
import { type Linked, type PlaneHost, PlaneView } from "./volume_plane";
import type { Style } from "./volume_shader";
import { VolumeSource } from "./volume_source";
import { SpaceView } from "./volume_space";
import css from "./volume_viewer.css";

const AXES: readonly Axis[] = ["z", "y", "x"];
const PLAY_MS = 90;

class Viewer implements PlaneHost, BarHost {
  readonly linked: Linked;
  readonly #model: Model;
  readonly #scope: Scope;
  readonly #source: VolumeSource;
  readonly #planes: Map<Axis, PlaneView>;
  readonly #space: SpaceView;
  readonly #bar: VolumeBar;
  readonly #waiting = h(
    "div",
    { class: "space-waits skeleton", role: "status" },
    h("p", {}, "The volume is read once, from its first to its last section, to be shown in space."),
  );
  readonly #pane = new StatePane(() => void this.#load());
  readonly #node: HTMLElement;
  #texture: Texture | undefined;
  #playing = 0;

  constructor(el: HTMLElement, model: Model, scope: Scope) {
    this.#model = model;
    this.#scope = scope;
    const one = { x: 1, y: 1, z: 1 };
    this.linked = {
      size: one,
      pixel: 0,
      place: { x: 0, y: 0, z: 0 },
      zoom: 1,
      centre: { ...one },
      contrast: { low: -3, high: 3 },
    };
    const source = openSource(model);
    const place: VolumePlace = { file: model.get("volume"), stack: model.get("stack") };
    this.#source = new VolumeSource(source, place, scope.signal);
    this.#planes = new Map(AXES.map((axis) => [axis, new PlaneView(axis, this, scope)]));
    this.#space = new SpaceView(scope);
    this.#bar = new VolumeBar(this);
    const [xy, xz, yz] = [...this.#planes.values()].map((plane) => plane.node);
    const solid = h("div", { class: "volume-solid" }, this.#space.node, this.#waiting);
    const grid = h("div", { class: "volume-grid" }, xy, solid, xz, yz);
    this.#node = h(
      "div",
      { class: "volume-viewer", "data-athena": "volume" },
      this.#bar.node,
      grid,
      this.#bar.contrast.node,
      this.#pane.node,
    );
    el.append(this.#node);
    scope.follow<number>(model, "height", (height) => {
      this.#node.style.height = `${height}px`;
    });
    scope.follow(model, "threshold", () => this.#draw(false));
    scope.follow(model, "shown_as", () => this.#draw(false));
    scope.follow(model, "slab", () => this.#thicken());
    scope.listen(this.#node, "keydown", (event) => this.#key(event));
    scope.defer(() => {
      window.clearInterval(this.#playing);
      source.close();
      this.#node.remove();
    });
    void this.#load();
  }

  async #load(): Promise<void> {
    if (!this.#model.get("volume")) return this.#pane.empty("No volume chosen");
    this.#pane.loading();
    try {
      const info = await this.#source.info();
      const size = shapeOf(info.shape);
      this.linked.size = size;
      this.linked.pixel = info.pixel_size_angstrom;
      this.reset();
      this.#pane.done();
      this.move({ x: size.x >> 1, y: size.y >> 1, z: size.z >> 1 }, true);
      this.#thicken();
      this.#texture = await this.#source.texture();
      this.#waiting.hidden = true;
      this.#space.show(this.#texture, size, this.linked.pixel);
      this.#begin();
      this.#draw(false);
      this.#planesFromTexture();
      this.#node.dataset.ready = "true";
    } catch (error) {
      if (!isAbort(error) && !this.#scope.signal.aborted) this.#pane.error(error);
    }
  }

  /** A threshold above all there is, as of a mask, would show an empty box at first sight. */
  #begin(): void {
    const { top, value } = this.#space;
    if (value === undefined || this.#model.get<number>("threshold") < top) return;
    save(this.#model, { threshold: Math.round(top * 5) / 10 });
  }

  // ── the crosshair ───────────────────────────────────────────────────────────────────────────

  move(place: Partial<Place>, settled: boolean): void {
    const { size, pixel } = this.linked;
    const before = this.linked.place;
    const now = { ...before };
    for (const axis of AXES) {
      const wanted = place[axis] ?? before[axis];
      now[axis] = Math.round(Math.min(size[axis] - 1, Math.max(0, wanted)));
    }
    this.linked.place = now;
    for (const axis of AXES) {
      const plane = this.#planes.get(axis);
      if (now[axis] !== before[axis]) this.#turn(axis);
      plane?.draw();
    }
    this.#space.point(now);
    const words = (digits: number, scale: number): string =>
      (["x", "y", "z"] as const).map((axis) => fixed(now[axis] * scale, digits)).join(", ");
    const length = pixel > 0 ? ` · ${words(1, pixel / 10)}\u2009nm` : "";
    this.#bar.place(`${words(0, 1)}\u2009px${length}`);
    if (settled) save(this.#model, { position: [now.x, now.y, now.z] });
  }

  /** Another section of one plane: from the texture at once, sharp once it is there. */
  #turn(axis: Axis): void {
    const plane = this.#planes.get(axis);
    const { size, place } = this.linked;
    const slab = this.#model.get<number>("slab");
    if (this.#texture) {
      plane?.show(planeOf(this.#texture, axis, size[axis], slabOf(size[axis], place[axis], slab)), false);
    }
    this.#source.plane(
      axis,
      place[axis],
      slab,
      (sharp) => plane?.show(sharp, true),
      (error) => this.#pane.error(error),
    );
  }

  #planesFromTexture(): void {
    for (const axis of AXES) if (!this.#planes.get(axis)?.drawn) this.#turn(axis);
  }

  #thicken(): void {
    const slab = this.#model.get<number>("slab");
    this.#bar.slab(slab, this.linked.pixel);
    if (this.linked.size.z > 1) for (const axis of AXES) this.#turn(axis);
  }

  zoomBy(factor: number, around: Partial<Place>): void {
    const zoom = Math.min(40, Math.max(0.5, this.linked.zoom * factor));
    const real = zoom / this.linked.zoom;
    this.linked.zoom = zoom;
    for (const axis of AXES) {
      const held = around[axis];
      // what is under the pointer stays there
      if (held !== undefined) this.linked.centre[axis] = held + (this.linked.centre[axis] - held) / real;
    }
    this.#redraw();
  }

  pan(by: Partial<Place>): void {
    for (const axis of AXES) this.linked.centre[axis] += by[axis] ?? 0;
    this.#redraw();
  }

  reset(): void {
    const { size } = this.linked;
    this.linked.zoom = 1;
    this.linked.centre = { x: size.x / 2, y: size.y / 2, z: size.z / 2 };
    this.#redraw();
  }

  #redraw(): void {
    for (const plane of this.#planes.values()) plane.draw();
  }

  /** Play through the sections of a plane, or stop. */
  play(axis: Axis = "z"): void {
    const stopped = this.#playing !== 0;
    window.clearInterval(this.#playing);
    this.#playing = 0;
    if (!stopped) {
      this.#playing = window.setInterval(() => {
        const { place, size } = this.linked;
        this.move({ [axis]: (place[axis] + 1) % size[axis] }, false);
      }, PLAY_MS);
    }
    this.#bar.playing(this.#playing !== 0);
  }

  // ── the bar ─────────────────────────────────────────────────────────────────────────────────

  style(style: Style): void {
    save(this.#model, { shown_as: style });
  }

  threshold(sigma: number, settled: boolean): void {
    this.#model.set("threshold", sigma);
    if (settled) this.#model.save_changes();
    this.#draw(!settled);
  }

  dark(dark: boolean): void {
    this.#space.dark = dark;
    this.#draw(false);
  }

  slab(sections: number): void {
    save(this.#model, { slab: sections });
  }

  contrast(contrast: { low: number; high: number }): void {
    this.linked.contrast = contrast;
    for (const plane of this.#planes.values()) plane.repaint();
  }

  #draw(moving: boolean): void {
    const [style, threshold] = [this.#model.get<Style>("shown_as"), this.#model.get<number>("threshold")];
    this.#space.set(style, threshold, moving);
    this.#bar.show(style, threshold, this.#space);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const slab = this.#model.get<number>("slab");
    if (event.key === "[") this.slab(Math.max(1, slab - 2));
    else if (event.key === "]") this.slab(Math.min(99, slab + 2));
    else return;
    event.preventDefault();
  }
}

function render(context: RenderContext): Cleanup {
  const { el } = context;
  const model = withDefaults(context.model, DEFAULTS.volume_viewer);
  const scope = new Scope();
  installTheme(el, model, scope, { widget: "athena-volume-viewer", css: viewerCss + css });
  let inner = new Scope();
  scope.defer(() => inner.close());
  const open = (): void => {
    inner.close();
    inner = new Scope();
    new Viewer(el, model, inner);
  };
  let shown: string | undefined;
  for (const trait of ["volume", "stack"]) {
    scope.follow(model, trait, () => {
      const wanted = `${model.get("volume")}${model.get("stack")}`;
      if (wanted === shown) return;
      shown = wanted;
      open();
    });
  }
  return () => scope.close();
}

export default { render };
