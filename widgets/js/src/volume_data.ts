// A volume of bytes as the API gives it, and planes of it: what is shown until the sharp ones are there.

import { fixed } from "./units";

/** The head of the binary form, as the contract's `TextureHead`. */
export interface TextureHead {
  shape: [number, number, number];
  low: number;
  high: number;
  mean: number;
  sigma: number;
  dark: boolean;
  /** Share of the voxels that hold no number. */
  missing: number;
}

/** A threshold, σ towards the dense side, in the file's own values. */
export function valueAt({ mean, sigma }: TextureHead, threshold: number, dark: boolean): number {
  return mean + (dark ? -1 : 1) * threshold * sigma;
}

/** Why there may be less to see in space than was hoped for; empty: nothing is amiss. `top`: σ of the densest voxel. */
export function saidOf(head: TextureHead, threshold: number, top: number): string {
  const share = head.missing * 100;
  if (share >= 100) return "No voxel of this volume holds a number: there is nothing to draw.";
  const missing = share < 1 ? "Less than 1\u2009%" : `${fixed(share, 0)}\u2009%`;
  const gap = share > 0 ? `${missing} of the voxels hold no number; they count as 0. ` : "";
  if (isFlat(head)) return `${gap}Every voxel has the same value, ${figure(head.mean)}: there is nothing to draw.`;
  const none = `Nothing is as dense as ${fixed(threshold, 1)}\u2009σ: the densest voxel is at ${fixed(top, 1)}\u2009σ.`;
  return (threshold > top ? gap + none : gap).trim();
}

/** Whether all its voxels are the same. */
export const isFlat = (head: TextureHead): boolean => !(head.high > head.low);

/** A value of a file, of which nothing is known but that it is a number. */
export function figure(value: number): string {
  const [far, near] = [1e5, 1e-3];
  const size = Math.abs(value);
  if (size > 0 && (size >= far || size < near)) return value.toExponential(1).replaceAll("-", "−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

export type Axis = "z" | "y" | "x";
/** A place in the volume's own pixels: x, y (upwards), z. */
export interface Place {
  x: number;
  y: number;
  z: number;
}

export interface Texture {
  head: TextureHead;
  /** (z, y, x), x fastest, y upwards. */
  values: Uint8Array;
}

/** Columns and rows of the plane across each axis; rows grow upwards in both directions of the volume. */
export const SIDES: Record<Axis, { across: Axis; up: Axis; name: string }> = {
  z: { across: "x", up: "y", name: "XY" },
  y: { across: "x", up: "z", name: "XZ" },
  x: { across: "y", up: "z", name: "YZ" },
};
/** Half width, in σ, of the grey values that a plane is given with. */
export const PLANE_SIGMAS = 6;

/** Bytes of a plane, top row first; 0 and 255 are its mean ∓ 6 σ. */
export interface Plane {
  width: number;
  height: number;
  values: Uint8Array;
}

export function readTexture(body: ArrayBuffer): Texture {
  const length = new DataView(body).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length))) as TextureHead;
  return { head, values: new Uint8Array(body, 4 + length) };
}

export function shapeOf([z, y, x]: readonly number[]): Place {
  return { x: x ?? 1, y: y ?? 1, z: z ?? 1 };
}

/** Mean of the texture's planes that lie within sections `start` to `stop` (not included) of a volume that has `count`. */
export function planeOf({ head, values }: Texture, axis: Axis, count: number, [start, stop]: [number, number]): Plane {
  const size = shapeOf(head.shape);
  const strides: Place = { x: 1, y: size.x, z: size.x * size.y };
  const { across, up } = SIDES[axis];
  const [width, height] = [size[across], size[up]];
  const scale = size[axis] / count;
  const first = Math.min(size[axis] - 1, Math.floor(start * scale));
  const last = Math.min(size[axis], Math.max(first + 1, Math.ceil(stop * scale)));
  const sums = new Float32Array(width * height);
  for (let at = first; at < last; at++) {
    for (let row = 0; row < height; row++) {
      let from = at * strides[axis] + (height - 1 - row) * strides[up];
      const end = (row + 1) * width;
      for (let to = row * width; to < end; to++, from += strides[across])
        sums[to] = (sums[to] ?? 0) + (values[from] ?? 0);
    }
  }
  return { width, height, values: normalised(sums) };
}

/** As the API gives planes: mean ∓ 6 σ of the plane itself as 0 and 255. */
function normalised(sums: Float32Array): Uint8Array {
  let [total, squares] = [0, 0];
  for (const value of sums) {
    total += value;
    squares += value * value;
  }
  const mean = total / sums.length;
  const sigma = Math.sqrt(Math.max(0, squares / sums.length - mean * mean)) || 1;
  const scale = 255 / (2 * PLANE_SIGMAS * sigma);
  // a clamped array rounds and bounds what is written into it
  const bytes = new Uint8ClampedArray(sums.length);
  for (let i = 0; i < sums.length; i++) bytes[i] = ((sums[i] ?? 0) - mean) * scale + 127.5;
  return new Uint8Array(bytes.buffer);
}

/** Sections of a slab about one, as the API takes them. */
export function slabOf(count: number, middle: number, thickness: number): [number, number] {
  const start = middle - Math.floor((thickness - 1) / 2);
  return [Math.max(0, start), Math.min(count, start + thickness)];
}

/** Picture of a plane in a contrast, σ from its mean. */
export function paint(plane: Plane, { low, high }: { low: number; high: number }): ImageData {
  const table = new Uint8ClampedArray(256);
  const black = (low / PLANE_SIGMAS + 1) * 127.5;
  const scale = (255 * 2 * PLANE_SIGMAS) / ((high - low) * 255);
  for (let value = 0; value < 256; value++) table[value] = (value - black) * scale;
  const image = new ImageData(plane.width, plane.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) {
    const grey = table[plane.values[i] ?? 0] ?? 0;
    pixels[i] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return image;
}
