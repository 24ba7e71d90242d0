// Small builders for DOM nodes: the widgets use no framework.

export type Child = Node | string | null | undefined | false;

type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with attributes and children; `class`, `data-…`, `aria-…` as written in HTML, false or undefined left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/** A button that shows an icon; its name is its tooltip and what a screen reader says. */
export function iconButton(svg: string, name: string, hook: string, onClick: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "icon-button", "data-athena": hook, "aria-label": name });
  button.dataset.tip = name;
  // the svg comes from the bundled icon set, never from data
  button.innerHTML = svg;
  button.addEventListener("click", onClick);
  return button;
}

/** Fit a canvas to its CSS size at the screen's pixel ratio; returns its context in CSS pixels, cleared. */
export function prepareCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
  }
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no 2-D canvas");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
