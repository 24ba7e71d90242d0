// Colours and font of the charts, from the tokens as the element sees them.

import type { ChartStyle } from "./chart_types";
import { type Rgb, rgb } from "./point_raster";
import { token } from "./theme";

export function chartStyle(el: Element): ChartStyle {
  const named = (name: string): string => token(el, name);
  const [kept, out] = [named("accent"), named("muted")];
  return {
    raster: { kept: rgb(kept), out: mixed(out, named("surface")), chosen: rgb(named("quality")) },
    text: named("text"),
    muted: named("muted"),
    line: named("line"),
    accent: kept,
    warning: named("warning"),
    accepted: named("completed"),
    rejected: named("out-of-range"),
    kept,
    out: cssColour(mixed(out, named("surface"))),
    font: `11px ${named("font")}`,
  };
}

/** Half way from a colour to the ground it stands on: it recedes. */
function mixed(colour: string, ground: string): Rgb {
  const [a, b] = [rgb(colour), rgb(ground)];
  const half = (x: number, y: number): number => Math.round(0.5 * x + 0.5 * y);
  return { red: half(a.red, b.red), green: half(a.green, b.green), blue: half(a.blue, b.blue) };
}

const cssColour = ({ red, green, blue }: Rgb): string => `rgb(${red} ${green} ${blue})`;
