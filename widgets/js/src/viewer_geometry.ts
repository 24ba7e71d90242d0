// Screen ↔ image, with OpenSeadragon's rotation and mirror.

import OpenSeadragon from "openseadragon";

export interface Point {
  x: number;
  y: number;
}

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
