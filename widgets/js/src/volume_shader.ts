// Rays through a volume of bytes, in WebGL2: the surface at a threshold, or the densest voxel along each ray.

import { type Matrix, reachOf, type Vector } from "./volume_camera";
import type { Texture } from "./volume_data";

export type Style = "surface" | "projection";

export interface Shown {
  style: Style;
  /** σ from the mean; positive is denser. */
  threshold: number;
  rotation: Matrix;
  zoom: number;
  /** Half edges of the box; the longest is 1. */
  box: Vector;
  colour: Vector;
}

const VERTEX = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(at, 0.0, 1.0);
}`;

// Parallel rays: those of the eye (x right, y up, z towards it) turned back into the box. Ray and box as slabs: Kay and
// Kajiya 1986; the surface lies between the last step below the threshold and the first above, found by halving.
const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;
in vec2 at;
out vec4 result;
uniform sampler3D volume;
uniform mat3 unturn;
uniform vec3 box;
uniform vec2 reach;
uniform float threshold;
uniform float top;
uniform float sense;
uniform float middle;
uniform float steps;
uniform vec3 voxel;
uniform vec3 colour;
uniform bool surface;

float density(vec3 p) {
  return sense * (texture(volume, p / (2.0 * box) + 0.5).r - middle);
}

void main() {
  vec3 from = unturn * vec3(at * reach, 2.0);
  vec3 ahead = unturn * vec3(0.0, 0.0, -1.0);
  vec3 safe = mix(ahead, vec3(1e-6), vec3(lessThan(abs(ahead), vec3(1e-6))));
  vec3 one = (-box - from) / safe;
  vec3 two = (box - from) / safe;
  vec3 near3 = min(one, two);
  vec3 far3 = max(one, two);
  float near = max(max(near3.x, near3.y), near3.z);
  float far = min(min(far3.x, far3.y), far3.z);
  if (near >= far) { result = vec4(0.0); return; }
  float step = 2.0 * length(box) / steps;
  float most = -1.0;
  for (float t = near + 0.5 * step; t < far; t += step) {
    float found = density(from + t * ahead);
    if (surface && found >= threshold) {
      float low = t - step;
      float high = t;
      for (int i = 0; i < 5; i++) {
        float half_way = 0.5 * (low + high);
        if (density(from + half_way * ahead) >= threshold) high = half_way; else low = half_way;
      }
      vec3 p = from + high * ahead;
      vec3 slope = vec3(
        density(p + vec3(voxel.x, 0, 0)) - density(p - vec3(voxel.x, 0, 0)),
        density(p + vec3(0, voxel.y, 0)) - density(p - vec3(0, voxel.y, 0)),
        density(p + vec3(0, 0, voxel.z)) - density(p - vec3(0, 0, voxel.z))) / voxel;
      float lit = length(slope) > 0.0 ? max(0.0, dot(normalize(slope), ahead)) : 1.0;
      float deep = clamp((high - near) / (far - near + 0.001), 0.0, 1.0);
      result = vec4(colour * (0.22 + 0.78 * lit) * (1.0 - 0.35 * deep), 1.0);
      return;
    }
    most = max(most, found);
  }
  if (surface) { result = vec4(0.0); return; }
  float bright = clamp((most - threshold) / max(top - threshold, 1e-4), 0.0, 1.0);
  // white, as much of it as it is bright: alpha is premultiplied
  result = vec4(bright);
}`;

const NAMES = [
  ...["volume", "unturn", "box", "reach", "threshold", "top", "sense", "middle", "steps", "voxel", "colour", "surface"],
] as const;

/** Draws one volume into one canvas. `open` gives none where the browser has no WebGL2. */
export class Rays {
  readonly #gl: WebGL2RenderingContext;
  readonly #places: Record<string, WebGLUniformLocation | null>;
  readonly #texture: Texture;
  /** Whether dense is dark. */
  dark: boolean;

  static open(canvas: HTMLCanvasElement, texture: Texture): Rays | undefined {
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, preserveDrawingBuffer: true });
    return gl ? new Rays(gl, texture) : undefined;
  }

  private constructor(gl: WebGL2RenderingContext, texture: Texture) {
    this.#gl = gl;
    this.#texture = texture;
    this.dark = texture.head.dark;
    const program = gl.createProgram();
    for (const [kind, text] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind);
      if (!shader) throw new Error("this browser lost its graphics");
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`The graphics of this browser refuse the shader: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    this.#places = Object.fromEntries(NAMES.map((name) => [name, gl.getUniformLocation(program, name)]));
    this.#upload();
  }

  #upload(): void {
    const gl = this.#gl;
    const [depth, height, width] = this.#texture.head.shape;
    gl.bindTexture(gl.TEXTURE_3D, gl.createTexture());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const kind = gl.UNSIGNED_BYTE;
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8, width, height, depth, 0, gl.RED, kind, this.#texture.values);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_3D, name, gl.LINEAR);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) {
      gl.texParameteri(gl.TEXTURE_3D, name, gl.CLAMP_TO_EDGE);
    }
  }

  /** σ of the densest voxel. */
  get top(): number {
    const { low, high, mean, sigma } = this.#texture.head;
    return Math.max(0.1, (this.dark ? mean - low : high - mean) / (sigma || 1));
  }

  /** Draw into a canvas of so many pixels; `timed`: gives the milliseconds it took, all of the drawing included. */
  draw(shown: Shown, [width, height]: [number, number], quality: number, timed: boolean): number {
    const gl = this.#gl;
    const begin = performance.now();
    const canvas = gl.canvas as HTMLCanvasElement;
    const [w, h] = [Math.max(1, Math.round(width * quality)), Math.max(1, Math.round(height * quality))];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const { low, high, mean, sigma, shape } = this.#texture.head;
    const perSigma = sigma / (high - low || 1);
    const [depth, rows, columns] = shape;
    const { rotation, box } = shown;
    const set = this.#places;
    gl.viewport(0, 0, w, h);
    // columns of a matrix come first: given row by row, a rotation is read as its inverse
    gl.uniformMatrix3fv(set.unturn ?? null, false, rotation);
    gl.uniform3fv(set.box ?? null, box);
    const least = Math.min(width, height);
    const reach = reachOf(box) / least / shown.zoom;
    gl.uniform2f(set.reach ?? null, reach * width, reach * height);
    gl.uniform1f(set.threshold ?? null, shown.threshold * perSigma);
    gl.uniform1f(set.top ?? null, this.top * perSigma);
    gl.uniform1f(set.sense ?? null, this.dark ? -1 : 1);
    gl.uniform1f(set.middle ?? null, (mean - low) / (high - low || 1));
    gl.uniform1f(set.steps ?? null, Math.max(32, 1.7 * Math.max(depth, rows, columns) * Math.min(1, 1.4 * quality)));
    gl.uniform3f(set.voxel ?? null, (2 * box[0]) / columns, (2 * box[1]) / rows, (2 * box[2]) / depth);
    gl.uniform3fv(set.colour ?? null, shown.colour);
    gl.uniform1i(set.surface ?? null, shown.style === "surface" ? 1 : 0);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    // waits until it is drawn: else a slow machine would be asked for more than it can do
    if (timed) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - begin;
  }

  close(): void {
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
