// A micrograph at any zoom: tiles, keys and tool bar.

import fitIcon from "icon:fit-screen-outline";
import fullScreenIcon from "icon:fullscreen";
import zoomInIcon from "icon:zoom-in";
import zoomOutIcon from "icon:zoom-out";
import OpenSeadragon from "openseadragon";
import type { ImageInfo } from "./api.gen";
import { h, iconButton } from "./dom";
import css from "./image_viewer.css";
import { type Cleanup, type RenderContext, Scope } from "./model";
import * as paths from "./paths";
import { getJson, isAbort, openSource } from "./source";
import { installTheme } from "./theme";
import { micrographTiles, TILE_LOADERS } from "./viewer_tiles";

function render({ model, el }: RenderContext): Cleanup {
  const scope = new Scope();
  installTheme(el, model, scope, css);
  const source = openSource(model);
  scope.defer(() => source.close());

  const stage = h("div", { class: "viewer-stage", "data-athena": "viewer" });
  const state = h("div", { class: "state" });
  el.append(stage);
  scope.defer(() => stage.remove());
  const viewer = OpenSeadragon({
    element: stage,
    showNavigationControl: false,
    imageLoaderLimit: TILE_LOADERS,
    drawer: "canvas",
    animationTime: 0.2,
    minZoomImageRatio: 0.5,
    maxZoomPixelRatio: 16,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
  });
  scope.defer(() => viewer.destroy());
  const bar = h(
    "div",
    { class: "viewer-bar", role: "toolbar", "aria-label": "Image tools" },
    iconButton(zoomInIcon, "Zoom in (+)", "zoom-in", () => viewer.viewport.zoomBy(1.5)),
    iconButton(zoomOutIcon, "Zoom out (−)", "zoom-out", () => viewer.viewport.zoomBy(1 / 1.5)),
    iconButton(fitIcon, "Whole image (0)", "zoom-reset", () => viewer.viewport.goHome()),
    iconButton(fullScreenIcon, "Full screen (Esc leaves)", "full-screen", () => void stage.requestFullscreen()),
  );
  stage.append(bar, state);

  const open = async (): Promise<void> => {
    const [runId, index] = [model.get<string>("run_id"), model.get<number>("index")];
    if (!runId || index < 0) return;
    try {
      const info = await getJson<ImageInfo>(source, paths.imageInfo(runId, index), scope.signal);
      state.replaceChildren();
      viewer.open({ tileSource: micrographTiles(source, runId, index, info, info) });
    } catch (error) {
      if (!isAbort(error)) state.replaceChildren(h("strong", {}, String(error)));
    }
  };
  scope.follow(model, "index", () => void open());
  scope.follow<number>(model, "height", (height) => {
    stage.style.height = `${height}px`;
  });
  return () => scope.close();
}

export default { render };
