// How a volume is looked at: turned by hand, with parallel rays. Rotations are 3 × 3, row by row.

export type Matrix = readonly [number, number, number, number, number, number, number, number, number];
export type Vector = readonly [number, number, number];

/** From above and a little from the side: z upwards. */
export const FIRST_VIEW: Matrix = multiply(about("x", -1.05), about("z", 0.5));

export function about(axis: "x" | "y" | "z", angle: number): Matrix {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  if (axis === "x") return [1, 0, 0, 0, c, -s, 0, s, c];
  if (axis === "y") return [c, 0, s, 0, 1, 0, -s, 0, c];
  return [c, -s, 0, s, c, 0, 0, 0, 1];
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  const cell = (row: number, column: number): number =>
    [0, 1, 2].reduce((sum, k) => sum + (a[3 * row + k] ?? 0) * (b[3 * k + column] ?? 0), 0);
  return [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => cell(row, column))) as unknown as Matrix;
}

export function apply(m: Matrix, [x, y, z]: Vector): Vector {
  return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z];
}

/** What is seen at zoom 1: from the middle so far, in units of the box, so that no corner ever leaves the view. */
export const reachOf = (box: Vector): number => 1.06 * Math.hypot(...box);

/** The volume's box: edges in units of half its longest one. */
export function boxOf(edges: Vector): Vector {
  const longest = Math.max(...edges) || 1;
  return [edges[0] / longest, edges[1] / longest, edges[2] / longest];
}
