// Colours and font of canvases, from the tokens as the element sees them.

import type { CtfStyle } from "./draw_ctf";
import type { MotionStyle } from "./draw_motion";
import { token } from "./theme";

export function canvasStyles(el: Element): { motion: MotionStyle; ctf: CtfStyle } {
  const font = `11px ${token(el, "font")}`;
  return {
    motion: { trace: token(el, "trace"), mean: token(el, "trace-mean") },
    ctf: {
      experimental: token(el, "experimental"),
      theory: token(el, "theory"),
      quality: token(el, "quality"),
      axis: token(el, "line"),
      text: token(el, "muted"),
      mark: token(el, "muted"),
      font,
    },
  };
}
