// What the panels of one acquisition share: follow the index, fetch its numbers and curves, show the states between.

import type { Acquisition, AcquisitionCurves, RunTable } from "./api.gen";
import type { MetricName } from "./catalogue.gen";
import type { Model, Scope } from "./model";
import * as paths from "./paths";
import { type DataSource, getJson, isAbort } from "./source";
import type { StatePane } from "./state_pane";
import type { Value } from "./units";
import { WAITING_TEXT } from "./waiting";

export interface AcquisitionData {
  runId: string;
  index: number;
  curves: AcquisitionCurves;
  values: Partial<Record<MetricName, Value>>;
}

/** Calls `show` with each acquisition's data, and `show(undefined)` when there is none to show. */
export function followAcquisition(
  model: Model,
  parts: { source: DataSource; pane: StatePane; scope: Scope; columns: readonly MetricName[] },
  show: (data: AcquisitionData | undefined) => void,
): () => void {
  const { source, pane, scope, columns } = parts;
  let abort = new AbortController();
  let shown = "";
  scope.defer(() => abort.abort());

  const load = async (always: boolean): Promise<void> => {
    const [runId, index] = [model.get<string>("run_id"), model.get<number>("index")];
    const wanted = `${runId}/${index}`;
    if (!always && shown === wanted) return;
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    if (!runId || index < 0) {
      show(undefined);
      return pane.empty("No micrograph chosen", "Pick one from the gallery.");
    }
    if (shown !== wanted) pane.loading();
    try {
      const [found, table] = await Promise.all([
        getJson<AcquisitionCurves[]>(source, paths.curves(runId, [index]), signal),
        getJson<RunTable>(source, paths.table(runId, columns, index, 1), signal),
      ]);
      const curves = found[0];
      const state = table.states[0] ?? "";
      if (state !== "completed" || !curves) {
        show(undefined);
        shown = "";
        return await explain(runId, index, signal);
      }
      const values = Object.fromEntries(columns.map((name) => [name, table.columns[name]?.[0] ?? null]));
      shown = wanted;
      pane.done();
      show({ runId, index, curves, values });
    } catch (error) {
      if (!isAbort(error)) pane.error(error);
    }
  };

  const explain = async (runId: string, index: number, signal: AbortSignal): Promise<void> => {
    const found = await getJson<Acquisition>(source, paths.acquisition(runId, index), signal);
    if (found.state === "error") pane.empty("Processing failed", found.error);
    else pane.empty(...(WAITING_TEXT[found.state] ?? ["Nothing to show", ""]));
  };

  let first = true;
  const changed = (always: boolean) => (): void => {
    if (!first) void load(always);
  };
  scope.follow(model, "run_id", changed(true));
  scope.follow(model, "index", changed(true));
  scope.follow(model, "version", changed(false));
  first = false;
  void load(true);
  return () => void load(true);
}
