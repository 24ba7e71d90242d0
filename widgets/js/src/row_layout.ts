// Where things are on the charts of one metric.

import type { Span } from "./chart_types";
import type { Interval } from "./filter_rules";

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 10, 6, 18];
const GAP = 20;
const [NARROWEST_SPREAD, WIDEST_SPREAD] = [140, 260];

export interface Plot {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export class RowLayout {
  width = 0;
  height = 0;
  /** Lowest and highest value of the axis. */
  range: Interval = [0, 1];

  get series(): Plot {
    const { width, height } = this;
    const spread = Math.min(WIDEST_SPREAD, Math.max(NARROWEST_SPREAD, width * 0.24));
    return { left: LEFT, right: width - RIGHT - spread - GAP, top: TOP, bottom: height - BOTTOM };
  }

  get side(): Plot {
    const { width, height } = this;
    return { left: this.series.right + GAP, right: width - RIGHT, top: TOP, bottom: height - BOTTOM };
  }

  y(value: number): number {
    const [low, high] = this.range;
    const { top, bottom } = this.series;
    return bottom - ((value - low) / (high - low)) * (bottom - top);
  }

  valueAt(y: number): number {
    const [low, high] = this.range;
    const { top, bottom } = this.series;
    return low + ((bottom - Math.min(bottom, Math.max(top, y))) / (bottom - top)) * (high - low);
  }

  x(place: number, { start, end }: Span): number {
    const { left, right } = this.series;
    return left + ((place - start) / (end - start)) * (right - left);
  }

  /** Place on the axis of acquisitions at a pixel. */
  placeAt(x: number, { start, end }: Span): number {
    const { left, right } = this.series;
    return start + ((Math.min(right, Math.max(left, x)) - left) / (right - left)) * (end - start);
  }

  /** Whether a pixel is over the series, and not the distribution. */
  overSeries(x: number): boolean {
    return x < this.series.right + GAP / 2;
  }
}
