// Brings the wanted image into the viewer, swaps contrast without a flash, and says so when there is none.

import type OpenSeadragon from "openseadragon";
import type { Acquisition, AcquisitionCurves, FileImageInfo, ImageInfo, RunTable } from "./api.gen";
import { type MetricName, SPECTRUM_SIZE } from "./catalogue.gen";
import { curveZeros, wavelength } from "./ctf_zeros";
import type { Scope } from "./model";
import * as paths from "./paths";
import { frequencyScale, lengthScale } from "./scale_bar";
import { type DataSource, getJson, isAbort, ProblemError } from "./source";
import type { StatePane } from "./state_pane";
import { fixed } from "./units";
import { type ContrastPanel, previewFilter } from "./viewer_contrast";
import type { Point } from "./viewer_geometry";
import type { Legend, MeasuringTape } from "./viewer_overlay";
import type { RingOverlay } from "./viewer_rings";
import { imageTiles, pictureTiles } from "./viewer_tiles";
import { WAITING_TEXT } from "./waiting";

export interface Wanted {
  runId: string;
  index: number;
  content: "micrograph" | "spectrum" | "spectrum_fit";
  /** A file in place of a run's micrograph: its path, and which of its sections. */
  file?: string;
  axis?: paths.Axis;
  section?: number | undefined;
  /** All sections along the axis as one image. */
  whole?: paths.Whole | undefined;
}

/** Of a spectrum, what its scale and the zeros of its CTF follow from. */
const SPECTRUM_COLUMNS = [
  "spectrum_nyquist_per_angstrom",
  "ctf_resolution_angstrom",
  "defocus_um",
  "astigmatism_nm",
  "astigmatism_angle_deg",
] as const satisfies readonly MetricName[];
type SpectrumValues = Partial<Record<MetricName, number | null>>;
/** Frequency 0 lies in the middle of a fine pixel, of which the picture averages two by two; the rows are mirrored. */
const CENTRE = { x: SPECTRUM_SIZE / 2 + 0.25, y: SPECTRUM_SIZE / 2 - 0.25 };
const DEGREE = Math.PI / 180;

const same = (one: Wanted, other: Wanted): boolean =>
  (["runId", "index", "content", "file", "axis", "section", "whole"] as const).every(
    (name) => one[name] === other[name],
  );

export interface LoaderParts {
  viewer: OpenSeadragon.Viewer;
  source: DataSource;
  pane: StatePane;
  contrast: ContrastPanel;
  legend: Legend;
  tape: MeasuringTape;
  rings: RingOverlay;
  /** Told which section of a file is shown. */
  sections?: (info: FileImageInfo) => void;
}

export class ImageLoader {
  readonly #parts: LoaderParts;
  readonly #scope: Scope;
  #wanted: Wanted | undefined;
  #shown: { wanted: Wanted; info: ImageInfo; contrast: paths.Contrast } | undefined;
  #abort = new AbortController();
  #loading = false;
  #swap: OpenSeadragon.TiledImage | undefined;
  #spectrum: { wanted: Wanted; values: SpectrumValues } | undefined;
  #zeros = false;

  constructor(parts: LoaderParts, scope: Scope) {
    this.#parts = parts;
    this.#scope = scope;
    scope.defer(() => this.#abort.abort());
    parts.viewer.addHandler("tile-drawn", () => parts.pane.done());
    parts.viewer.addHandler("tile-load-failed", (event) => {
      if (event.message !== "cancelled" && !this.#scope.signal.aborted && this.#swap === undefined) {
        parts.pane.error(new ProblemError(0, "tile", "A part of the image could not be read.", event.message ?? ""));
      }
    });
  }

  want(asked: Wanted): void {
    const now = this.#wanted;
    // a spectrum's half is chosen by hand and stays from one micrograph to the next
    const kept = asked.content !== "micrograph" && now && !asked.file;
    const wanted = kept ? { ...asked, content: now.content } : asked;
    if (now && same(now, wanted)) return;
    this.#wanted = wanted;
    const shown = this.#shown;
    // a mean has not the grey values of a section: it starts with a contrast of its own
    const alike = shown && (["file", "axis", "whole"] as const).every((name) => shown.wanted[name] === wanted[name]);
    if (wanted.file && alike) {
      void this.#turnTo(wanted, shown.contrast);
      return;
    }
    this.#shown = undefined;
    void this.load(true);
  }

  /** Load what is wanted; unless `always`, only while it is not on screen. */
  async load(always: boolean): Promise<void> {
    const wanted = this.#wanted;
    if (!wanted || (!always && (this.#shown || this.#loading))) return;
    this.#abort.abort();
    this.#abort = new AbortController();
    const signal = this.#abort.signal;
    const { pane } = this.#parts;
    if (!wanted.file && (!wanted.runId || wanted.index < 0))
      return pane.empty("No micrograph chosen", "Pick one from the gallery.");
    if (always) {
      this.#clear();
      pane.loading();
    }
    this.#loading = true;
    try {
      if (wanted.content === "micrograph" || wanted.file) await this.#openImage(wanted, signal);
      else await this.#openSpectrum(wanted, signal);
    } catch (error) {
      if (!isAbort(error)) await this.#explain(wanted, error, signal);
    } finally {
      if (!signal.aborted) this.#loading = false;
    }
  }

  async #openImage(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { viewer, contrast, legend, tape } = this.#parts;
    const info = await this.#info(wanted, signal);
    const first = contrast.show(info);
    this.#shown = { wanted, info, contrast: first };
    viewer.open({ tileSource: this.#tiles(wanted, info, first) });
    const scale = lengthScale(info.pixel_size_angstrom);
    const describe = ({ x, y }: Point): string =>
      `${fixed(Math.floor(x), 0)}, ${fixed(info.height - 1 - Math.floor(y), 0)} px`;
    legend.show({ width: info.width, height: info.height, scale, describe });
    tape.show(scale);
  }

  async #info(wanted: Wanted, signal: AbortSignal): Promise<ImageInfo> {
    const { source, sections } = this.#parts;
    if (!wanted.file) return getJson<ImageInfo>(source, paths.imageInfo(wanted.runId, wanted.index), signal);
    const path = paths.fileImage(wanted.file, wanted.axis ?? "z", wanted.section, wanted.whole);
    const info = await getJson<FileImageInfo>(source, path, signal);
    sections?.(info);
    return info;
  }

  #tiles(wanted: Wanted, info: ImageInfo, contrast: paths.Contrast): OpenSeadragon.TileSource {
    const { runId, index, file, axis = "z", whole } = wanted;
    const hash = info.content_hash;
    const section = (info as FileImageInfo).section;
    return imageTiles(this.#parts.source, info, (level, x, y) =>
      file
        ? paths.fileTile(file, { axis, section, whole }, level, x, y, contrast, hash)
        : paths.tile(runId, index, level, x, y, contrast, hash),
    );
  }

  /** Another section of the same file: zoom and contrast stay, the old one until the new one is there. */
  async #turnTo(wanted: Wanted, contrast: paths.Contrast): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const signal = this.#abort.signal;
    try {
      const info = await this.#info(wanted, signal);
      if (signal.aborted) return;
      this.#shown = { wanted, info, contrast };
      this.#replace(this.#tiles(wanted, info, contrast), () => undefined);
    } catch (error) {
      if (!isAbort(error)) this.#parts.pane.error(error);
    }
  }

  async #openSpectrum(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { viewer, source, legend, rings } = this.#parts;
    const path = paths.table(wanted.runId, SPECTRUM_COLUMNS, wanted.index, 1);
    const table = await getJson<RunTable>(source, path, signal);
    const values = Object.fromEntries(SPECTRUM_COLUMNS.map((name) => [name, table.columns[name]?.[0] ?? null]));
    const nyquist = values.spectrum_nyquist_per_angstrom;
    if (!nyquist) throw new ProblemError(404, "not_found", "There is no power spectrum yet.");
    const size = SPECTRUM_SIZE;
    const picture = paths.spectrum(wanted.runId, wanted.index, wanted.content === "spectrum_fit");
    this.#shown = { wanted, info: { width: size, height: size } as ImageInfo, contrast: { low: 0, high: 255 } };
    this.#spectrum = { wanted, values };
    viewer.open({ tileSource: pictureTiles(source, picture, size) });
    const scale = frequencyScale(nyquist, size);
    const describe = ({ x, y }: Point): string => {
      const frequency = Math.hypot(x - CENTRE.x, y - CENTRE.y) * scale.perPixel;
      return frequency > 0 ? `${fixed(1 / frequency, 1)}\u2009Å (${fixed(frequency, 3)}\u2009Å⁻¹)` : "";
    };
    legend.show({ width: size, height: size, scale, describe });
    rings.show({
      centre: CENTRE,
      perPixel: scale.perPixel,
      nyquist,
      resolution: values.ctf_resolution_angstrom,
    });
    await this.#drawZeros(signal);
  }

  /** Show half of the spectrum as fitted, or all as measured: zoom stays, the old picture until the new one is there. */
  showHalf(fitted: boolean): void {
    const [wanted, shown] = [this.#wanted, this.#shown];
    if (!wanted) return;
    this.#wanted = { ...wanted, content: fitted ? "spectrum_fit" : "spectrum" };
    if (!shown) return void this.load(true);
    this.#shown = { ...shown, wanted: this.#wanted };
    const picture = paths.spectrum(wanted.runId, wanted.index, fitted);
    this.#replace(pictureTiles(this.#parts.source, picture, SPECTRUM_SIZE), () => undefined);
  }

  /** Whether the zeros of the fitted CTF are drawn over spectra. */
  get zeros(): boolean {
    return this.#zeros;
  }

  set zeros(on: boolean) {
    this.#zeros = on;
    this.#drawZeros(this.#abort.signal).catch((error: unknown) => {
      if (!isAbort(error)) this.#parts.pane.error(error);
    });
  }

  async #drawZeros(signal: AbortSignal): Promise<void> {
    const { rings, source } = this.#parts;
    const spectrum = this.#spectrum;
    const { defocus_um, astigmatism_nm, astigmatism_angle_deg } = spectrum?.values ?? {};
    if (!this.#zeros || !spectrum || typeof defocus_um !== "number") return rings.showZeros(undefined);
    const { runId, index } = spectrum.wanted;
    const [curves, acquisition] = await Promise.all([
      getJson<AcquisitionCurves[]>(source, paths.curves(runId, [index]), signal),
      getJson<Acquisition>(source, paths.acquisition(runId, index), signal),
    ]);
    if (this.#spectrum !== spectrum || !this.#zeros || !curves[0]) return;
    const { voltage_kv, spherical_aberration_mm } = acquisition.optics;
    // the aberration only turns a small difference: without it the rings are as astigmatic as at low frequency
    const known = voltage_kv && spherical_aberration_mm;
    rings.showZeros({
      frequencies: curveZeros(curves[0]),
      astigmatism: {
        defocus: defocus_um * 1e4,
        difference: (astigmatism_nm ?? 0) * 10,
        angle: (astigmatism_angle_deg ?? 0) * DEGREE,
        aberration: known ? (spherical_aberration_mm * 1e7 * wavelength(voltage_kv) ** 2) / 2 : 0,
      },
    });
  }

  /** Show another contrast: at once by a filter over the old tiles, then with new tiles once the hand rests. */
  recontrast(wanted: paths.Contrast, settled: boolean): void {
    const shown = this.#shown;
    if (!shown) return;
    this.#filter(previewFilter(shown.contrast, wanted));
    if (!settled) return;
    this.#replace(this.#tiles(shown.wanted, shown.info, wanted), () => {
      shown.contrast = wanted;
      this.#filter("");
    });
  }

  /** Put other tiles in place of those on screen, once they are all there. */
  #replace(tileSource: OpenSeadragon.TileSource, then: () => void): void {
    const { viewer } = this.#parts;
    const old = viewer.world.getItemAt(0);
    if (this.#swap) viewer.world.removeItem(this.#swap);
    this.#swap = undefined;
    const ready = (next: OpenSeadragon.TiledImage): void => {
      if (this.#swap !== next) return;
      this.#swap = undefined;
      next.setOpacity(1);
      viewer.world.removeItem(old);
      then();
    };
    viewer.addTiledImage({
      tileSource,
      opacity: 0,
      preload: true,
      success: (event: unknown) => {
        const next = (event as { item: OpenSeadragon.TiledImage }).item;
        this.#swap = next;
        if (next.getFullyLoaded()) ready(next);
        else next.addHandler("fully-loaded-change", () => next.getFullyLoaded() && ready(next));
      },
    });
  }

  #filter(value: string): void {
    this.#parts.viewer.drawer.canvas.style.filter = value;
  }

  #clear(): void {
    this.#swap = undefined;
    this.#shown = undefined;
    this.#filter("");
    this.#parts.viewer.close();
    this.#parts.legend.show(undefined);
    this.#parts.tape.show(undefined);
    this.#parts.rings.show(undefined);
    this.#spectrum = undefined;
  }

  /** An image that is not there is mostly one that is not processed yet: ask, and say which. */
  async #explain(wanted: Wanted, error: unknown, signal: AbortSignal): Promise<void> {
    const { pane, source } = this.#parts;
    if (!(error instanceof ProblemError) || error.status !== 404 || wanted.file) return pane.error(error);
    try {
      const found = await getJson<Acquisition>(source, paths.acquisition(wanted.runId, wanted.index), signal);
      const text = WAITING_TEXT[found.state];
      if (found.state === "error") pane.empty("Processing failed", found.error);
      else if (text) pane.empty(...text);
      else pane.error(error);
    } catch (second) {
      if (!isAbort(second)) pane.error(second);
    }
  }
}
