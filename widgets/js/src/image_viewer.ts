// A micrograph, or its power spectrum, at any zoom.

import { DEFAULTS } from "./catalogue.gen";
import { h } from "./dom";
import { type Cleanup, type RenderContext, Scope, save, withDefaults } from "./model";
import type { Axis, Whole } from "./paths";
import { SectionBar } from "./section_bar";
import { openSource } from "./source";
import { installTheme } from "./theme";
import { mountViewer } from "./viewer";
import css from "./viewer.css";
import type { Wanted } from "./viewer_loader";

function render(context: RenderContext): Cleanup {
  const { el } = context;
  const model = withDefaults(context.model, DEFAULTS.image_viewer);
  const scope = new Scope();
  installTheme(el, model, scope, { widget: "athena-image-viewer", css });
  const source = openSource(model);
  scope.defer(() => source.close());
  const stage = h("div", { class: "viewer-stage", "data-athena": "viewer" });
  el.append(stage);
  scope.defer(() => stage.remove());
  scope.follow<number>(model, "height", (height) => {
    stage.style.height = `${height}px`;
  });
  const content = model.get<Wanted["content"]>("content");
  const bar = new SectionBar(stage, scope, (axis, section, whole) => wantFile(axis, section, whole));
  const viewer = mountViewer(stage, source, scope, content, (info) => {
    bar.show(info);
    const depth = info.axes.length > 1 ? (info.counts[0] ?? 0) : 0;
    if (depth !== model.get<number>("depth")) save(model, { depth });
  });
  stage.append(bar.node);
  const wantFile = (axis: Axis, section?: number, whole?: Whole): void => {
    viewer.want({ runId: "", index: -1, content, file: model.get("file"), axis, section, whole });
  };
  const want = (): void => {
    bar.reset();
    // so that the same depth of another file is told again
    model.set("depth", 0);
    if (model.get("file")) wantFile("z");
    else viewer.want({ runId: model.get("run_id"), index: model.get("index"), content });
  };
  for (const trait of ["run_id", "index", "file"]) scope.follow(model, trait, want);
  scope.follow(model, "version", () => viewer.refresh());
  return () => scope.close();
}

export default { render };
