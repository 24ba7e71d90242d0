// What a volumetric viewer reads of the API: what there is, the volume in bytes, and sharp planes once a hand rests.

import type { VolumeInfo } from "./api.gen";
import * as paths from "./paths";
import { type DataSource, getBlob, getJson, isAbort } from "./source";
import { type Axis, type Plane, readTexture, type Texture } from "./volume_data";

/** Voxels along the longest edge: 4 MB, quick to send and to draw even without a graphics card. */
export const TEXTURE_EDGE = 160;
const REST_MS = 110;

export class VolumeSource {
  readonly #source: DataSource;
  readonly #place: paths.VolumePlace;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<Axis, { key: string; abort: AbortController; timer: number }>();
  #hash = "";

  constructor(source: DataSource, place: paths.VolumePlace, signal: AbortSignal) {
    this.#source = source;
    this.#place = place;
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      for (const one of this.#asked.values()) this.#drop(one);
    });
  }

  async info(): Promise<VolumeInfo> {
    const info = await getJson<VolumeInfo>(this.#source, paths.volumeInfo(this.#place), this.#signal);
    this.#hash = info.content_hash;
    return info;
  }

  async texture(): Promise<Texture> {
    const answer = await this.#source.get(paths.volumeTexture(this.#place, TEXTURE_EDGE, this.#hash), this.#signal);
    return readTexture(answer.body);
  }

  /** Bring the sharp plane once nothing else is wanted of its axis for a while. */
  plane(
    axis: Axis,
    section: number,
    slab: number,
    arrived: (plane: Plane) => void,
    failed: (error: unknown) => void,
  ): void {
    const key = `${section}/${slab}`;
    const before = this.#asked.get(axis);
    if (before?.key === key) return;
    if (before) this.#drop(before);
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      const path = paths.volumePlane(this.#place, axis, section, slab, this.#hash);
      getBlob(this.#source, path, abort.signal)
        .then(decoded)
        .then((plane) => {
          if (!abort.signal.aborted) arrived(plane);
        })
        .catch((error: unknown) => {
          if (isAbort(error) || abort.signal.aborted) return;
          this.#asked.delete(axis);
          failed(error);
        });
    }, REST_MS);
    this.#asked.set(axis, { key, abort, timer });
  }

  #drop({ abort, timer }: { abort: AbortController; timer: number }): void {
    window.clearTimeout(timer);
    abort.abort();
  }
}

async function decoded(blob: Blob): Promise<Plane> {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  const { width, height } = Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("this browser gives no 2-D canvas");
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = pen.getImageData(0, 0, width, height).data;
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) values[i] = pixels[4 * i] ?? 0;
  return { width, height, values };
}
