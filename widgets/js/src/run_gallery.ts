// The acquisitions of a run.

import type { RunTable } from "./api.gen";
import { h } from "./dom";
import { type Cleanup, type RenderContext, Scope } from "./model";
import * as paths from "./paths";
import { getJson, isAbort, openSource } from "./source";
import { installTheme } from "./theme";
import { metric } from "./units";

function render({ model, el }: RenderContext): Cleanup {
  const scope = new Scope();
  installTheme(el, model, scope, "");
  const source = openSource(model);
  scope.defer(() => source.close());
  const list = h("div", { "data-athena": "gallery" });
  el.append(list);
  const load = async (): Promise<void> => {
    const runId = model.get<string>("run_id");
    try {
      const columns = ["ctf_resolution_angstrom"] as const;
      const table = await getJson<RunTable>(source, paths.table(runId, columns, 0, 1000), scope.signal);
      const values = table.columns.ctf_resolution_angstrom ?? [];
      list.replaceChildren(...table.names.map((name, i) => h("div", {}, name, " ", metric(columns[0], values[i]))));
    } catch (error) {
      if (!isAbort(error)) list.replaceChildren(String(error));
    }
  };
  scope.follow(model, "version", () => void load());
  return () => scope.close();
}

export default { render };
