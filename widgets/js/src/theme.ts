// Styles, font and theme of a widget. Everything is inside the bundle: no request leaves the origin.

import fontFile from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2";
import baseCss from "./base.css";
import type { Model, Scope } from "./model";
import tokensCss from "./tokens.gen.css";

const FONT_MARK = "athena-inter";

/** The font must stand in the document itself: browsers ignore @font-face inside a shadow root. */
function installFont(): void {
  if (document.getElementById(FONT_MARK)) return;
  const style = document.createElement("style");
  style.id = FONT_MARK;
  style.textContent = `@font-face{font-family:"Inter";font-weight:100 900;font-display:swap;src:url(${fontFile}) format("woff2")}`;
  document.head.append(style);
}

/**
 * Make `el` an Athena surface: styles inside it, theme following the trait. `css` is nested under the widget's own class:
 * a notebook page holds several widgets and has rules of its own.
 */
export function installTheme(
  el: HTMLElement,
  model: Model,
  scope: Scope,
  { widget, css }: { widget: string; css: string },
): void {
  installFont();
  const style = document.createElement("style");
  style.textContent = `${tokensCss}${baseCss}.athena.${widget}{${css}}`;
  el.append(style);
  el.classList.add("athena", widget);
  scope.follow<string>(model, "theme", (theme) => {
    el.dataset.theme = theme === "light" ? "light" : "dark";
    el.dispatchEvent(new CustomEvent("athena-theme"));
  });
  scope.defer(() => style.remove());
}

/** A token's value as the element sees it now, for canvases. */
export function token(el: Element, name: string): string {
  return getComputedStyle(el).getPropertyValue(`--athena-${name}`).trim();
}
