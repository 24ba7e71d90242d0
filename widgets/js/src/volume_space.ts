// The volume in space: turned with the mouse or the arrow keys, with its box and the crosshair's planes drawn over it.

import { h, prepareCanvas } from "./dom";
import type { Scope } from "./model";
import { lengthScale, ScaleBar } from "./scale_bar";
import { about, apply, boxOf, FIRST_VIEW, type Matrix, multiply, reachOf, type Vector } from "./volume_camera";
import { type Axis, isFlat, type Place, saidOf, type Texture, valueAt } from "./volume_data";
import { Rays, type Style } from "./volume_shader";

export const AXIS_COLOURS: Record<Axis, string> = { z: "#56b4e9", y: "#e69f00", x: "#cc79a7" };
const SURFACE_COLOUR: Vector = [0.62, 0.82, 0.8];
/** A picture while it is turned takes no longer than this; it is drawn smaller where it would. */
const MOVING_MS = 60;
const REST_MS = 140;
const KEY_TURN = 0.12;
const ZOOM_STEP = 1.25;
/** From the end of an edge to its name, in units of the box. */
const NAME_GAP = 0.07;
/** Pixels that need more than this, however good the machine, do not make the picture better. */
const MAX_PIXELS = 1_200_000;
const NO_GRAPHICS =
  "This browser gives no WebGL2, so the volume cannot be turned here; its planes work as ever. " +
  "Switch on hardware acceleration, or use another browser.";

export class SpaceView {
  readonly node: HTMLElement;
  readonly #canvas = h("canvas", { class: "space-rays" });
  readonly #over = h("canvas", { class: "space-over" });
  readonly #said = h("p", { class: "space-said", role: "status", "data-athena": "space-said", hidden: true });
  readonly #bar = new ScaleBar("space");
  #rays: Rays | undefined;
  /** Why it cannot be drawn at all. */
  #problem = "";
  #pixel = 0;
  #texture: Texture | undefined;
  #size: Place = { x: 1, y: 1, z: 1 };
  #place: Place = { x: 0, y: 0, z: 0 };
  #rotation: Matrix = FIRST_VIEW;
  #zoom = 1;
  #style: Style = "surface";
  #threshold = 2.5;
  #moving = 0.5;
  #frame = 0;
  #rest = 0;
  #drawn = 0;

  constructor(scope: Scope) {
    this.node = h(
      "div",
      {
        class: "volume-space",
        tabindex: 0,
        role: "application",
        "aria-label": "The volume in space: arrow keys turn it, + and − zoom, Home as it was",
        "data-athena": "volume-space",
      },
      this.#canvas,
      this.#over,
      this.#bar.node,
      this.#said,
    );
    this.#listen(scope);
    const resized = new ResizeObserver(() => this.#draw(false));
    resized.observe(this.node);
    scope.defer(() => {
      resized.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#rest);
      this.#rays?.close();
    });
  }

  get top(): number {
    return this.#rays?.top ?? 6;
  }

  get dark(): boolean {
    return this.#rays?.dark ?? this.#texture?.head.dark ?? false;
  }

  set dark(dark: boolean) {
    if (this.#rays) this.#rays.dark = dark;
    this.#draw(false);
  }

  /** The threshold in the file's own values; none where all are the same, or there are none yet. */
  get value(): number | undefined {
    const head = this.#texture?.head;
    return head && !isFlat(head) ? valueAt(head, this.#threshold, this.dark) : undefined;
  }

  /** Show another volume of `size` pixels of `pixel` Å. */
  show(texture: Texture, size: Place, pixel: number): void {
    this.#texture = texture;
    this.#size = size;
    this.#pixel = pixel;
    this.#start();
    this.#draw(false);
  }

  /** How it is drawn; `moving` while a slider is held. */
  set(style: Style, threshold: number, moving: boolean): void {
    this.#style = style;
    this.#threshold = threshold;
    this.#draw(moving);
  }

  /** Where the planes meet. */
  point(place: Place): void {
    this.#place = place;
    this.#outline();
  }

  #start(): void {
    if (!this.#texture) return;
    this.#rays = undefined;
    this.#problem = "";
    try {
      this.#rays = Rays.open(this.#canvas, this.#texture);
      if (!this.#rays) this.#problem = NO_GRAPHICS;
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    // all of it would lie above any threshold
    this.#canvas.hidden = isFlat(this.#texture.head);
  }

  /** Say what is amiss, if anything is. */
  #say(): void {
    const text = this.#problem || (this.#texture ? saidOf(this.#texture.head, this.#threshold, this.top) : "");
    if (this.#said.textContent !== text) this.#said.textContent = text;
    this.#said.hidden = text === "";
  }

  #listen(scope: Scope): void {
    scope.listen(this.#canvas, "webglcontextlost" as "change", (event) => event.preventDefault());
    scope.listen(this.#canvas, "webglcontextrestored" as "change", () => {
      this.#start();
      this.#draw(false);
    });
    scope.listen(this.node, "pointerdown", (event) => {
      if (event.button !== 0) return;
      this.node.setPointerCapture(event.pointerId);
      this.node.classList.add("turning");
    });
    scope.listen(this.node, "pointermove", (event) => {
      if (!this.node.classList.contains("turning")) return;
      const scale = 5 / Math.min(this.node.clientWidth, this.node.clientHeight);
      this.#turn(event.movementX * scale, event.movementY * scale);
    });
    const end = (): void => {
      this.node.classList.remove("turning");
    };
    scope.listen(this.node, "pointerup", end);
    scope.listen(this.node, "pointercancel", end);
    scope.listen(
      this.node,
      "wheel",
      (event) => {
        event.preventDefault();
        this.#zoomBy(Math.exp(-event.deltaY * 0.0015));
      },
      { passive: false },
    );
    scope.listen(this.node, "dblclick", () => this.#reset());
    scope.listen(this.node, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const keys: Record<string, () => void> = {
        ArrowLeft: () => this.#turn(-KEY_TURN, 0),
        ArrowRight: () => this.#turn(KEY_TURN, 0),
        ArrowUp: () => this.#turn(0, -KEY_TURN),
        ArrowDown: () => this.#turn(0, KEY_TURN),
        "+": () => this.#zoomBy(ZOOM_STEP),
        "=": () => this.#zoomBy(ZOOM_STEP),
        "-": () => this.#zoomBy(1 / ZOOM_STEP),
        "0": () => this.#reset(),
        Home: () => this.#reset(),
      };
      const act = keys[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
  }

  #turn(right: number, down: number): void {
    this.#rotation = multiply(multiply(about("x", down), about("y", right)), this.#rotation);
    this.#draw(true);
  }

  #zoomBy(factor: number): void {
    this.#zoom = Math.min(8, Math.max(0.4, this.#zoom * factor));
    this.#draw(true);
  }

  #reset(): void {
    this.#rotation = FIRST_VIEW;
    this.#zoom = 1;
    this.#draw(false);
  }

  get #box(): Vector {
    return boxOf([this.#size.x, this.#size.y, this.#size.z]);
  }

  #draw(moving: boolean): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#outline();
      this.#say();
      const [width, height] = [this.node.clientWidth, this.node.clientHeight];
      if (!this.#rays || width === 0 || height === 0) return;
      const ratio = window.devicePixelRatio || 1;
      const best = Math.min(ratio, Math.sqrt(MAX_PIXELS / (width * height)));
      const quality = moving ? Math.min(best, this.#moving) : best;
      const shown = {
        style: this.#style,
        threshold: this.#threshold,
        rotation: this.#rotation,
        zoom: this.#zoom,
        box: this.#box,
        colour: SURFACE_COLOUR,
      };
      const took = this.#rays.draw(shown, [width, height], quality, moving);
      this.node.dataset.drawn = String(++this.#drawn);
      clearTimeout(this.#rest);
      if (!moving) return;
      // the time goes with the pixels and, less, with the steps
      const factor = Math.min(1.5, Math.max(0.5, Math.sqrt(MOVING_MS / Math.max(1, took))));
      this.#moving = Math.min(best, Math.max(0.12, quality * factor));
      this.#rest = window.setTimeout(() => this.#draw(false), REST_MS);
    });
  }

  /** Box and planes, over the rays. */
  #outline(): void {
    const [width, height] = [this.node.clientWidth, this.node.clientHeight];
    if (width === 0 || height === 0) return;
    const pen = prepareCanvas(this.#over, width, height);
    const box = this.#box;
    const scale = (Math.min(width, height) / 2 / reachOf(box)) * this.#zoom;
    // rays are parallel: a length looks the same however deep it lies
    const longest = Math.max(this.#size.x, this.#size.y, this.#size.z);
    this.#bar.show(lengthScale(this.#pixel), (2 * scale) / longest, width);
    const on = (point: Vector): [number, number] => {
      const [x, y] = apply(this.#rotation, point);
      return [width / 2 + x * scale, height / 2 - y * scale];
    };
    const loop = (points: Vector[], colour: string, alpha: number): void => {
      pen.beginPath();
      for (const point of points) pen.lineTo(...on(point));
      pen.closePath();
      pen.globalAlpha = alpha;
      pen.strokeStyle = colour;
      pen.stroke();
    };
    const [a, b, c] = box;
    const line = getComputedStyle(this.node).color;
    for (const z of [-c, c])
      loop(
        [
          [-a, -b, z],
          [a, -b, z],
          [a, b, z],
          [-a, b, z],
        ],
        line,
        0.35,
      );
    for (const [x, y] of [
      [-a, -b],
      [a, -b],
      [a, b],
      [-a, b],
    ] as const)
      loop(
        [
          [x, y, -c],
          [x, y, c],
        ],
        line,
        0.35,
      );
    const at = (axis: Axis, half: number): number => ((2 * (this.#place[axis] + 0.5)) / this.#size[axis]) * half - half;
    const [x, y, z] = [at("x", a), at("y", b), at("z", c)];
    loop(
      [
        [-a, -b, z],
        [a, -b, z],
        [a, b, z],
        [-a, b, z],
      ],
      AXIS_COLOURS.z,
      0.9,
    );
    loop(
      [
        [-a, y, -c],
        [a, y, -c],
        [a, y, c],
        [-a, y, c],
      ],
      AXIS_COLOURS.y,
      0.9,
    );
    loop(
      [
        [x, -b, -c],
        [x, b, -c],
        [x, b, c],
        [x, -b, c],
      ],
      AXIS_COLOURS.x,
      0.9,
    );
    pen.globalAlpha = 0.9;
    pen.fillStyle = line;
    pen.font = getComputedStyle(this.node).font;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    // which edge is which, not by a colour alone
    const names: [Axis, Vector][] = [
      ["x", [a + NAME_GAP, -b, -c]],
      ["y", [-a, b + NAME_GAP, -c]],
      ["z", [-a, -b, c + NAME_GAP]],
    ];
    for (const [name, end] of names) pen.fillText(name, ...on(end));
    pen.globalAlpha = 1;
  }
}
