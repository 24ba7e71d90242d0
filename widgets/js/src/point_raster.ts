// Many points drawn pixel by pixel: as small squares, or where they are too many for that, as a picture of their density.

import { tick } from "./distribution";

export interface Rgb {
  red: number;
  green: number;
  blue: number;
}

export interface RasterStyle {
  kept: Rgb;
  out: Rgb;
  /** Colour of the points that are selected. */
  chosen: Rgb;
}

/** Points are drawn as squares up to so many in view; more as a picture of their density. */
export const MOST_POINTS = 20_000;
const FAINTEST = 90;

/** A CSS colour as a canvas sees it. */
export function rgb(colour: string): Rgb {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  if (!context) throw new Error("this browser gives no 2-D canvas");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return { red, green, blue };
}

export interface RasterView {
  /** Pixels of the picture. */
  width: number;
  height: number;
  /** First acquisition and the one after the last. */
  first: number;
  last: number;
  /** Pixel of an acquisition's index, of a value (row 0 at the top). */
  x: (index: number) => number;
  low: number;
  high: number;
  /** Edge of a point, pixels. */
  edge: number;
  style: RasterStyle;
}

const packed = ({ red, green, blue }: Rgb, alpha: number): number =>
  ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/**
 * A picture of points. No point that is kept is hidden by one that is not. In a picture of density, a pixel grows more
 * opaque with the logarithm of the count, and a single point is visible by itself: outliers do not vanish.
 */
export function drawPoints(
  values: Float64Array,
  { kept, chosen }: { kept: Uint8Array; chosen: Uint8Array | undefined },
  view: RasterView,
): ImageData {
  const image = new ImageData(view.width, view.height);
  const pixels = new Uint32Array(image.data.buffer);
  const dense = view.last - view.first > MOST_POINTS;
  if (dense) density(pixels, values, kept, view);
  else {
    squares(pixels, values, (i) => !kept[i], packed(view.style.out, 170), view);
    squares(pixels, values, (i) => kept[i] === 1, packed(view.style.kept, 225), view);
  }
  if (chosen) squares(pixels, values, (i) => chosen[i] === 1, packed(view.style.chosen, 255), view);
  return image;
}

function squares(
  pixels: Uint32Array,
  values: Float64Array,
  wanted: (index: number) => boolean,
  colour: number,
  { width, height, first, last, x, low, high, edge }: RasterView,
): void {
  const scale = height / (high - low);
  const half = (edge - 1) >> 1;
  for (let i = first; i < last; i++) {
    const value = values[i] as number;
    if (!(value >= low && value <= high) || !wanted(i)) continue;
    const left = Math.round(x(i)) - half;
    const top = Math.round((high - value) * scale) - half;
    for (let row = Math.max(0, top); row < Math.min(height, top + edge); row++) {
      const begin = row * width;
      for (let column = Math.max(0, left); column < Math.min(width, left + edge); column++)
        pixels[begin + column] = colour;
    }
  }
}

function density(
  pixels: Uint32Array,
  values: Float64Array,
  kept: Uint8Array,
  { width, height, first, last, x, low, high, style }: RasterView,
): void {
  const inside = new Uint32Array(width * height);
  const outside = new Uint32Array(width * height);
  const scale = height / (high - low);
  for (let i = first; i < last; i++) {
    const value = values[i] as number;
    if (!(value >= low && value <= high)) continue;
    const row = Math.min(height - 1, Math.floor((high - value) * scale));
    const column = Math.min(width - 1, Math.max(0, Math.floor(x(i))));
    tick(kept[i] ? inside : outside, row * width + column);
  }
  const [most, mostOut] = [shades(inside, style.kept), shades(outside, style.out)];
  for (let at = 0; at < pixels.length; at++) {
    const here = inside[at] as number;
    // a pixel with any kept point shows how many are kept
    if (here > 0) pixels[at] = most[here] as number;
    else if ((outside[at] as number) > 0) pixels[at] = mostOut[outside[at] as number] as number;
  }
}

/** Colour for each count up to the highest. */
function shades(counts: Uint32Array, colour: Rgb): Uint32Array {
  let highest = 2;
  for (let i = 0; i < counts.length; i++) highest = Math.max(highest, counts[i] as number);
  const found = new Uint32Array(highest + 1);
  const log = Math.log(highest);
  for (let n = 1; n <= highest; n++)
    found[n] = packed(colour, Math.round(FAINTEST + ((255 - FAINTEST) * Math.log(n)) / log));
  return found;
}
