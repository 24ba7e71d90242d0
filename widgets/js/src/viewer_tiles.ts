// An OpenSeadragon tile source that reads through a DataSource, and ones for a single picture.

import OpenSeadragon from "openseadragon";
import type { ImageInfo } from "./api.gen";
import { type DataSource, getBlob, isAbort } from "./source";

/** The part of OpenSeadragon's image job that a custom tile source uses. */
interface TileJob {
  src: string;
  userData: { abort?: AbortController };
  finish(data: unknown, request: unknown, dataType: string): void;
  fail(message: string, request: unknown): void;
}

/** Parallel tile requests; each holds one of the few connections a browser opens to a host. */
export const TILE_LOADERS = 4;

function downloads(source: DataSource): Record<string, unknown> {
  return {
    downloadTileStart(job: TileJob): void {
      const abort = new AbortController();
      job.userData.abort = abort;
      getBlob(source, job.src, abort.signal).then(
        (blob) => job.finish(blob, null, "rasterBlob"),
        (error: unknown) => job.fail(isAbort(error) ? "cancelled" : String(error), null),
      );
    },
    downloadTileAbort(job: TileJob): void {
      job.userData.abort?.abort();
    },
    // micrographs are opaque: lets OpenSeadragon drop what lies beneath
    hasTransparency: (): boolean => false,
  };
}

/** Tiles of an image by their paths. The API counts levels from full size down, OpenSeadragon from the smallest up. */
export function imageTiles(
  source: DataSource,
  info: ImageInfo,
  path: (level: number, x: number, y: number) => string,
): OpenSeadragon.TileSource {
  return new OpenSeadragon.TileSource({
    width: info.width,
    height: info.height,
    tileSize: info.tile,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel: info.levels - 1,
    getTileUrl: (level: number, x: number, y: number) => path(info.levels - 1 - level, x, y),
    ...downloads(source),
  } as OpenSeadragon.TileSourceOptions);
}

/** One picture shown as a single tile, for spectra. */
export function pictureTiles(source: DataSource, path: string, size: number): OpenSeadragon.TileSource {
  return new OpenSeadragon.TileSource({
    width: size,
    height: size,
    tileSize: size,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel: 0,
    getTileUrl: () => path,
    ...downloads(source),
  } as OpenSeadragon.TileSourceOptions);
}
