// The zoomable image with keys, tool bar, contrast, scale bar and measuring; image viewer and CTF fit both hold one.

import contrastIcon from "icon:contrast";
import fitIcon from "icon:fit-screen-outline";
import flipIcon from "icon:flip";
import fullScreenIcon from "icon:fullscreen";
import leaveFullScreenIcon from "icon:fullscreen-exit";
import rotateIcon from "icon:rotate-90-degrees-cw-outline";
import measureIcon from "icon:straighten-outline";
import halfIcon from "icon:tonality";
import ringsIcon from "icon:track-changes";
import zerosIcon from "icon:waves";
import zoomInIcon from "icon:zoom-in";
import zoomOutIcon from "icon:zoom-out";
import OpenSeadragon from "openseadragon";
import type { FileImageInfo } from "./api.gen";
import { h, iconButton } from "./dom";
import type { Scope } from "./model";
import type { DataSource } from "./source";
import { StatePane } from "./state_pane";
import { ContrastPanel } from "./viewer_contrast";
import { magnification } from "./viewer_geometry";
import { ImageLoader, type Wanted } from "./viewer_loader";
import { Legend, MeasuringTape } from "./viewer_overlay";
import { RingOverlay } from "./viewer_rings";
import { TILE_LOADERS } from "./viewer_tiles";

const ZOOM_STEP = 1.5;

function openViewer(stage: HTMLElement, scope: Scope): OpenSeadragon.Viewer {
  const viewer = OpenSeadragon({
    element: stage,
    showNavigationControl: false,
    imageLoaderLimit: TILE_LOADERS,
    drawer: "canvas",
    animationTime: 0.18,
    springStiffness: 9,
    minZoomImageRatio: 0.6,
    maxZoomPixelRatio: 16,
    visibilityRatio: 0.3,
    zoomPerScroll: 1.25,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
  });
  viewer.addHandler("canvas-key", (event) => {
    // OpenSeadragon's 0 leaves rotation and mirror; here it means "as it was"
    const key = (event.originalEvent as KeyboardEvent).code;
    if (key !== "Digit0" && key !== "Numpad0") return;
    event.preventDefaultAction = true;
    resetView(viewer);
  });
  // micrographs are never smoothed once a pixel is larger than a screen pixel
  let smooth: boolean | undefined;
  viewer.addHandler("update-viewport", () => {
    const wanted = magnification(viewer) * (window.devicePixelRatio || 1) < 1;
    if (wanted !== smooth) viewer.drawer.setImageSmoothingEnabled(wanted);
    smooth = wanted;
  });
  viewer.addHandler("open", () => {
    smooth = undefined;
  });
  stayWhole(viewer);
  scope.defer(() => viewer.destroy());
  return viewer;
}

/** While the whole image is shown it stays so in a stage that becomes larger or smaller. */
function stayWhole(viewer: OpenSeadragon.Viewer): void {
  let whole = true;
  viewer.addHandler("update-viewport", () => {
    const [now, home] = [viewer.viewport.getZoom(false), viewer.viewport.getHomeZoom()];
    whole = Math.abs(now / home - 1) < 1e-3;
  });
  viewer.addHandler("resize", () => {
    if (!whole || viewer.world.getItemCount() === 0) return;
    // OpenSeadragon still sets a zoom of its own when this handler is done
    queueMicrotask(() => {
      viewer.viewport?.goHome(true);
      whole = true;
    });
  });
}

function resetView(viewer: OpenSeadragon.Viewer): void {
  viewer.viewport.setRotation(0);
  viewer.viewport.setFlip(false);
  viewer.viewport.goHome();
}

function fullScreenButton(stage: HTMLElement, scope: Scope): HTMLButtonElement {
  const button = iconButton(fullScreenIcon, "Full screen", "full-screen", () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void stage.requestFullscreen();
  });
  const changed = (): void => {
    const on = stage.matches(":fullscreen");
    button.innerHTML = on ? leaveFullScreenIcon : fullScreenIcon;
    button.dataset.tip = on ? "Leave full screen (Esc)" : "Full screen";
    button.setAttribute("aria-label", button.dataset.tip);
  };
  document.addEventListener("fullscreenchange", changed, { signal: scope.signal });
  return button;
}

function toolBar(
  viewer: OpenSeadragon.Viewer,
  parts: {
    stage: HTMLElement;
    contrast: ContrastPanel;
    tape: MeasuringTape;
    scope: Scope;
    /** Circles and zeros of a spectrum; none over a micrograph. */
    over: SpectrumParts | undefined;
  },
): HTMLElement {
  const { stage, contrast, tape, scope, over } = parts;
  const spectrum = over !== undefined;
  const zoom = (factor: number): void => {
    viewer.viewport.zoomBy(factor);
    viewer.viewport.applyConstraints();
  };
  const contrastButton = iconButton(contrastIcon, "Contrast", "contrast", () => {
    contrast.node.hidden = !contrast.node.hidden;
    contrastButton.setAttribute("aria-pressed", String(!contrast.node.hidden));
  });
  const measure = (on: boolean): void => {
    tape.active = on;
    measureButton.setAttribute("aria-pressed", String(on));
  };
  const measureButton = iconButton(measureIcon, "Measure a length (M)", "measure", () => measure(!tape.active));
  scope.listen(stage, "keydown", (event) => {
    if (event.code === "KeyM" && !event.ctrlKey && !event.metaKey && !spectrum) measure(!tape.active);
    if (event.key === "Escape" && tape.active) measure(false);
  });
  const overlays = over ? spectrumButtons(stage, scope, over) : [];
  const rotate = (event?: MouseEvent): void => {
    const turn = event?.shiftKey ? -90 : 90;
    viewer.viewport.setRotation(viewer.viewport.getRotation() + (viewer.viewport.getFlip() ? -turn : turn));
  };
  const rotateButton = iconButton(rotateIcon, "Rotate by 90° (R, Shift+R)", "rotate", () => {});
  rotateButton.addEventListener("click", rotate);
  const bar = h(
    "div",
    { class: "viewer-bar", role: "toolbar", "aria-label": "Image tools" },
    iconButton(zoomInIcon, "Zoom in (+)", "zoom-in", () => zoom(ZOOM_STEP)),
    iconButton(zoomOutIcon, "Zoom out (−)", "zoom-out", () => zoom(1 / ZOOM_STEP)),
    iconButton(fitIcon, "Whole image (0)", "zoom-reset", () => resetView(viewer)),
    iconButton(flipIcon, "Mirror (F)", "flip", () => viewer.viewport.toggleFlip()),
    rotateButton,
    !spectrum && contrastButton,
    !spectrum && measureButton,
    ...overlays,
    fullScreenButton(stage, scope),
  );
  // keys go on working after a click on a button
  bar.addEventListener("click", () => viewer.canvas.focus({ preventScroll: true }));
  return bar;
}

interface SpectrumParts {
  rings: RingOverlay;
  loader: ImageLoader;
  /** Whether half of it is the fit, to begin with. */
  half: boolean;
}

/** Buttons and keys of what lies over a spectrum. */
function spectrumButtons(stage: HTMLElement, scope: Scope, parts: SpectrumParts): HTMLButtonElement[] {
  const { rings, loader } = parts;
  let half = parts.half;
  const toggleHalf = (): void => {
    half = !half;
    loader.showHalf(half);
    halfButton.setAttribute("aria-pressed", String(half));
  };
  const toggleRings = (): void => {
    rings.rings = !rings.rings;
    ringsButton.setAttribute("aria-pressed", String(rings.rings));
  };
  const toggleZeros = (): void => {
    loader.zeros = !loader.zeros;
    zerosButton.setAttribute("aria-pressed", String(loader.zeros));
  };
  const halfButton = iconButton(halfIcon, "Left half as fitted (H)", "half-toggle", toggleHalf);
  halfButton.setAttribute("aria-pressed", String(half));
  const ringsButton = iconButton(ringsIcon, "Resolution circles (G)", "rings-toggle", toggleRings);
  const zerosButton = iconButton(zerosIcon, "Zeros of the fitted CTF (Z)", "zeros-toggle", toggleZeros);
  ringsButton.setAttribute("aria-pressed", String(rings.rings));
  zerosButton.setAttribute("aria-pressed", "false");
  scope.listen(stage, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.code === "KeyG") toggleRings();
    if (event.code === "KeyZ") toggleZeros();
    if (event.code === "KeyH") toggleHalf();
  });
  return [halfButton, ringsButton, zerosButton];
}

export interface MountedViewer {
  stage: HTMLElement;
  /** Show this image from now on. */
  want(wanted: Wanted): void;
  /** Look again if the image was not there. */
  refresh(): void;
}

/**
 * Make `stage` a viewer, with the tools that make sense for a micrograph or for a spectrum. `sections` is told which
 * section of a file is shown.
 */
export function mountViewer(
  stage: HTMLElement,
  source: DataSource,
  scope: Scope,
  content: Wanted["content"],
  sections: (info: FileImageInfo) => void = () => undefined,
): MountedViewer {
  const viewer = openViewer(stage, scope);
  const legend = new Legend(viewer, stage, scope);
  const tape = new MeasuringTape(viewer, scope);
  const contrast = new ContrastPanel((wanted, settled) => loader.recontrast(wanted, settled));
  const pane = new StatePane(() => void loader.load(true));
  const rings = new RingOverlay(viewer);
  const loader = new ImageLoader({ viewer, source, pane, contrast, legend, tape, rings, sections }, scope);
  const over = content === "micrograph" ? undefined : { rings, loader, half: content === "spectrum_fit" };
  const bar = toolBar(viewer, { stage, contrast, tape, scope, over });
  stage.append(rings.node, tape.node, legend.node, pane.node, bar, contrast.node);
  return { stage, want: (wanted) => loader.want(wanted), refresh: () => void loader.load(false) };
}
