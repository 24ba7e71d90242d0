// The API paths the widgets read; `athena_widgets.source` lets through exactly these.

export const run = (runId: string): string => `runs/${runId}`;

export const table = (runId: string, columns: readonly string[], start: number, limit: number): string =>
  `runs/${runId}/table?columns=${columns.join(",")}&start=${start}&limit=${limit}`;

/** Metrics as bytes (`run_columns.ts` reads them). */
export const columns = (runId: string, names: readonly string[], start: number, limit: number): string =>
  `runs/${runId}/columns?columns=${names.join(",")}&start=${start}&limit=${limit}`;

export const verdicts = (runId: string): string => `runs/${runId}/verdicts`;

export const curves = (runId: string, indices: readonly number[]): string =>
  `runs/${runId}/curves?indices=${indices.join(",")}`;

export const acquisitions = (runId: string, offset: number, limit: number): string =>
  `runs/${runId}/acquisitions?offset=${offset}&limit=${limit}`;

export const acquisition = (runId: string, index: number): string => `runs/${runId}/acquisitions/${index}`;

export const thumbnail = (runId: string, index: number): string => `${acquisition(runId, index)}/thumbnail.png`;

export const spectrum = (runId: string, index: number, fit: boolean): string =>
  `${acquisition(runId, index)}/spectrum.png?fit=${fit ? 1 : 0}`;

export const imageInfo = (runId: string, index: number): string => `${acquisition(runId, index)}/image.json`;

export interface Contrast {
  low: number;
  high: number;
}

export const tile = (
  runId: string,
  index: number,
  level: number,
  x: number,
  y: number,
  { low, high }: Contrast,
  hash: string,
): string =>
  `${acquisition(runId, index)}/tiles/${level}/${x}_${y}.png?low=${low}&high=${high}&v=${encodeURIComponent(hash)}`;

export type Axis = "z" | "y" | "x";
/** All sections along an axis as one image: their mean or their maximum. */
export type Whole = "mean" | "max";

/** A file that is looked at as a volume; `stack`: the images of its folder on one another. */
export interface VolumePlace {
  file: string;
  stack: boolean;
}

export const volumeInfo = ({ file, stack }: VolumePlace): string => `${file}/volume.json${stack ? "?stack=true" : ""}`;

export const volumeTexture = ({ file, stack }: VolumePlace, edge: number, hash: string): string =>
  `${file}/texture.bin?edge=${edge}&v=${hash}${stack ? "&stack=true" : ""}`;

/** A plane as one picture; `slab` sections about `section` are averaged. */
export const volumePlane = (
  { file, stack }: VolumePlace,
  axis: Axis,
  section: number,
  slab: number,
  hash: string,
): string => `${file}/plane.png?axis=${axis}&section=${section}&slab=${slab}&v=${hash}${stack ? "&stack=true" : ""}`;

const wholeQuery = (whole: Whole | undefined): string => (whole ? `&whole=${whole}` : "");

/** A section of a file; without a number the middle one. `file` is the file's own path: `elements/<id>/files/<id>`. */
export const fileImage = (file: string, axis: Axis, section: number | undefined, whole: Whole | undefined): string =>
  `${file}/image.json?axis=${axis}${section === undefined ? "" : `&section=${section}`}${wholeQuery(whole)}`;

export const fileTile = (
  file: string,
  { axis, section, whole }: { axis: Axis; section: number; whole: Whole | undefined },
  level: number,
  x: number,
  y: number,
  { low, high }: Contrast,
  hash: string,
): string =>
  `${file}/tiles/${level}/${x}_${y}.png?axis=${axis}&section=${section}${wholeQuery(whole)}&low=${low}&high=${high}&v=${encodeURIComponent(hash)}`;
