// One plane of a volume: its picture, the crosshair, and what the hands do over it.

import { h, prepareCanvas } from "./dom";
import type { Scope } from "./model";
import { lengthScale, ScaleBar } from "./scale_bar";
import { type Axis, type Place, type Plane, paint, SIDES } from "./volume_data";
import { AXIS_COLOURS } from "./volume_space";

/** What the planes have in common. */
export interface Linked {
  size: Place;
  /** Å; 0 where the file does not say. */
  pixel: number;
  place: Place;
  /** Times the size at which the whole plane fits. */
  zoom: number;
  /** Middle of the picture, in the volume's pixels. */
  centre: Place;
  contrast: { low: number; high: number };
}

export interface PlaneHost {
  linked: Linked;
  /** Move the crosshair; `settled` once the hand rests. */
  move(place: Partial<Place>, settled: boolean): void;
  zoomBy(factor: number, around: Partial<Place>): void;
  pan(by: Partial<Place>): void;
  /** Show the parts as they were. */
  reset(): void;
  play(axis: Axis): void;
}

export class PlaneView {
  readonly node: HTMLElement;
  readonly axis: Axis;
  readonly #host: PlaneHost;
  readonly #canvas = h("canvas", { class: "plane-picture" });
  readonly #slider: HTMLInputElement;
  readonly #words: HTMLElement;
  readonly #stage: HTMLElement;
  readonly #bar: ScaleBar;
  readonly #paper = document.createElement("canvas");
  #plane: Plane | undefined;
  #frame = 0;
  #stale = true;

  constructor(axis: Axis, host: PlaneHost, scope: Scope) {
    this.axis = axis;
    this.#host = host;
    const { name } = SIDES[axis];
    this.#slider = h("input", {
      type: "range",
      min: 0,
      max: 0,
      value: 0,
      "aria-label": `Section of ${name}, along ${axis}`,
      "data-athena": `plane-section-${axis}`,
    });
    this.#words = h("span", { class: "plane-words", "data-athena": `plane-words-${axis}` });
    this.#bar = new ScaleBar(axis);
    const keys = "arrow keys move the crosshair, Page Up and Page Down the section, space plays through";
    this.#stage = h(
      "div",
      { class: "plane-stage skeleton", tabindex: 0, role: "application", "aria-label": `Plane ${name}: ${keys}` },
      this.#canvas,
      this.#bar.node,
    );
    this.#stage.dataset.athena = `plane-stage-${axis}`;
    const label = h("span", { class: "plane-name" }, name);
    label.style.setProperty("--axis", AXIS_COLOURS[axis]);
    const foot = h("div", { class: "plane-foot" }, label, this.#slider, this.#words);
    this.node = h("div", { class: "volume-plane" }, this.#stage, foot);
    this.#listen(scope);
    const resized = new ResizeObserver(() => this.draw());
    resized.observe(this.#stage);
    scope.defer(() => {
      resized.disconnect();
      cancelAnimationFrame(this.#frame);
    });
  }

  /** Whether there is a picture already. */
  get drawn(): boolean {
    return this.#plane !== undefined;
  }

  /** Show another picture; `sharp` where it is the volume's own pixels. */
  show(plane: Plane, sharp: boolean): void {
    this.#plane = plane;
    this.#stale = true;
    this.#stage.dataset.sharp = String(sharp);
    this.#stage.classList.remove("skeleton");
    this.draw();
  }

  /** Paint the picture anew: in another contrast. */
  repaint(): void {
    this.#stale = true;
    this.draw();
  }

  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #scale(): number {
    const { size, zoom } = this.#host.linked;
    const { across, up } = SIDES[this.axis];
    return Math.min(this.#stage.clientWidth / size[across], this.#stage.clientHeight / size[up]) * zoom;
  }

  #draw(): void {
    const { size, pixel, place, centre, contrast } = this.#host.linked;
    const { across, up } = SIDES[this.axis];
    const count = size[this.axis];
    this.#slider.max = String(count - 1);
    this.#slider.value = String(place[this.axis]);
    this.#words.textContent = `${place[this.axis] + 1} of ${count}`;
    const [width, height] = [this.#stage.clientWidth, this.#stage.clientHeight];
    if (width === 0 || height === 0) return;
    const pen = prepareCanvas(this.#canvas, width, height);
    const scale = this.#scale();
    this.#bar.show(lengthScale(pixel), scale, width);
    const left = width / 2 - centre[across] * scale;
    const top = height / 2 - (size[up] - centre[up]) * scale;
    if (this.#plane) {
      if (this.#stale) {
        Object.assign(this.#paper, { width: this.#plane.width, height: this.#plane.height });
        this.#paper.getContext("2d")?.putImageData(paint(this.#plane, contrast), 0, 0);
        this.#stale = false;
      }
      const shown = (scale * size[across]) / this.#plane.width;
      // as everywhere: what is smaller than its pixels is smoothed, what is larger is not
      pen.imageSmoothingEnabled = shown * (window.devicePixelRatio || 1) < 1 || this.#stage.dataset.sharp === "false";
      pen.drawImage(this.#paper, left, top, scale * size[across], scale * size[up]);
    }
    const x = left + (place[across] + 0.5) * scale;
    const y = top + (size[up] - place[up] - 0.5) * scale;
    const gap = 8;
    const line = (colour: string, from: [number, number], to: [number, number]): void => {
      pen.strokeStyle = colour;
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
    };
    pen.globalAlpha = 0.9;
    line(AXIS_COLOURS[across], [x, 0], [x, y - gap]);
    line(AXIS_COLOURS[across], [x, y + gap], [x, height]);
    line(AXIS_COLOURS[up], [0, y], [x - gap, y]);
    line(AXIS_COLOURS[up], [x + gap, y], [width, y]);
    pen.globalAlpha = 1;
  }

  /** Place in the volume under the pointer. */
  #under(event: MouseEvent): Partial<Place> {
    const { size, centre } = this.#host.linked;
    const { across, up } = SIDES[this.axis];
    const box = this.#stage.getBoundingClientRect();
    const scale = this.#scale();
    const x = (event.clientX - box.left - box.width / 2) / scale + centre[across];
    const y = centre[up] - (event.clientY - box.top - box.height / 2) / scale;
    return { [across]: Math.floor(x), [up]: Math.min(size[up], Math.floor(y)) };
  }

  #listen(scope: Scope): void {
    const host = this.#host;
    const { across, up } = SIDES[this.axis];
    let doing: "point" | "pan" | undefined;
    scope.listen(this.#slider, "input", () => host.move({ [this.axis]: Number(this.#slider.value) }, false));
    scope.listen(this.#slider, "change", () => host.move({ [this.axis]: Number(this.#slider.value) }, true));
    scope.listen(this.#stage, "pointerdown", (event) => {
      if (event.button > 1) return;
      doing = event.button === 1 || event.shiftKey ? "pan" : "point";
      this.#stage.setPointerCapture(event.pointerId);
      this.#stage.focus({ preventScroll: true });
      event.preventDefault();
      if (doing === "point") host.move(this.#under(event), false);
    });
    scope.listen(this.#stage, "pointermove", (event) => {
      if (doing === "point") host.move(this.#under(event), false);
      const scale = this.#scale();
      if (doing === "pan") host.pan({ [across]: -event.movementX / scale, [up]: event.movementY / scale });
    });
    const end = (): void => {
      if (doing === "point") host.move({}, true);
      doing = undefined;
    };
    scope.listen(this.#stage, "pointerup", end);
    scope.listen(this.#stage, "pointercancel", end);
    scope.listen(
      this.#stage,
      "wheel",
      (event) => {
        event.preventDefault();
        host.zoomBy(Math.exp(-event.deltaY * 0.0015), this.#under(event));
      },
      { passive: false },
    );
    scope.listen(this.#stage, "keydown", (event) => this.#key(event));
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { place } = this.#host.linked;
    const { across, up } = SIDES[this.axis];
    const far = event.shiftKey ? 10 : 1;
    const step = (axis: Axis, by: number) => () => this.#host.move({ [axis]: place[axis] + by }, true);
    const keys: Record<string, () => void> = {
      ArrowLeft: step(across, -far),
      ArrowRight: step(across, far),
      ArrowDown: step(up, -far),
      ArrowUp: step(up, far),
      PageUp: step(this.axis, far),
      PageDown: step(this.axis, -far),
      Home: step(this.axis, -Infinity),
      End: step(this.axis, Infinity),
      " ": () => this.#host.play(this.axis),
      "+": () => this.#host.zoomBy(1.25, place),
      "=": () => this.#host.zoomBy(1.25, place),
      "-": () => this.#host.zoomBy(0.8, place),
      "0": () => this.#host.reset(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
