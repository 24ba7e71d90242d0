// Screen ↔ image, with OpenSeadragon's rotation and mirror; the scale bar's arithmetic.

import OpenSeadragon from "openseadragon";
import { lengthLabel, niceBelow } from "./units";

export interface Point {
  x: number;
  y: number;
}

/** How lengths of an image are said: `perPixel` in `unit` per image pixel at full size. */
export interface Scale {
  perPixel: number;
  label(length: number): string;
}

export const lengthScale = (angstromPerPixel: number): Scale => ({ perPixel: angstromPerPixel, label: lengthLabel });

/** Spatial frequency of a spectrum of `size` pixels whose edge is at `nyquist` Å⁻¹. */
export const frequencyScale = (nyquist: number, size: number): Scale => ({
  perPixel: (2 * nyquist) / size,
  label: (frequency) => `${Number(frequency.toPrecision(2))}\u2009Å⁻¹`,
});

/** OpenSeadragon mirrors the whole canvas but not its own conversions: pixels are mirrored here. */
function mirrored(viewer: OpenSeadragon.Viewer, point: Point): OpenSeadragon.Point {
  const x = viewer.viewport.getFlip() ? viewer.viewport.getContainerSize().x - point.x : point.x;
  return new OpenSeadragon.Point(x, point.y);
}

export function toImage(viewer: OpenSeadragon.Viewer, screen: Point): Point | undefined {
  return viewer.world.getItemAt(0)?.viewerElementToImageCoordinates(mirrored(viewer, screen));
}

export function toScreen(viewer: OpenSeadragon.Viewer, image: Point): Point | undefined {
  const item = viewer.world.getItemAt(0);
  if (!item) return undefined;
  const point = item.imageToViewerElementCoordinates(new OpenSeadragon.Point(image.x, image.y));
  return mirrored(viewer, point);
}

/** Screen pixels per image pixel as seen now. */
export function magnification(viewer: OpenSeadragon.Viewer): number {
  const item = viewer.world.getItemAt(0);
  return item ? item.viewportToImageZoom(viewer.viewport.getZoom(true)) : 1;
}

/** Length (px on screen) and label of a bar that is a round number and at most `limit` px long. */
export function scaleBar(scale: Scale, zoom: number, limit: number): { width: number; label: string } {
  const perScreenPixel = scale.perPixel / zoom;
  const length = niceBelow(limit * perScreenPixel);
  return { width: length / perScreenPixel, label: scale.label(length) };
}
