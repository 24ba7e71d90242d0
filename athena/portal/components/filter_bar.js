const MARKS = { running: "in_progress", pending: "not_started", failed: "error", finished: "completed", cancelled: "suspended" }
const WORDS = { running: "", pending: "waiting", failed: "failed", finished: "finished", cancelled: "cancelled" }

export function render({ model, el }) {
  const ask = (name) => () => model.send_msg({ do: name })
  const job = (one) => h("div", { class: "job", "data-athena": "export-job", "data-state": one.state }, mark(MARKS[one.state]),
    h("a", { href: "?p=jobs", "data-go": "" }, one.label), " ",
    one.state === "running" && one.total ? h("progress", { value: one.done, max: one.total, "aria-label": one.label }) : null,
    one.filter ? h("span", { class: "muted by", title: `By the filter ${one.filter}`, "data-athena": "export-filter" }, `by ${one.filter}`) : null,
    h("span", { class: "muted" }, [WORDS[one.state], one.done ? `${number.format(one.done)}${one.total ? ` of ${number.format(one.total)}` : ""} ${one.unit}` : ""].filter(Boolean).join(" · ")),
    one.state === "failed" ? h("span", { class: "is-error where" }, one.message) : h("span", { class: "muted where", title: one.location, "data-athena": "export-location" }, one.location))
  const hand = () => [model.accepted ? `${number.format(model.accepted)} accepted` : "", model.rejected ? `${number.format(model.rejected)} rejected` : ""].filter(Boolean).join(", ")
  const upward = (hook, words, items, title = "") => {
    const details = h("details", { class: "menu-of", onkeydown: (event) => { if (event.key === "Escape") { details.open = false; details.firstChild.focus() } },
      onfocusout: (event) => { if (!details.contains(event.relatedTarget)) details.open = false }, onclick: (event) => { if (event.target.closest(".menu-items button")) details.open = false } },
      h("summary", { class: "action", "data-athena": hook, title }, words, " ▴"), items)
    return details
  }
  const named = () => {
    if (!model.filters.length && !model.may_write) return null
    const act = (name, id) => () => model.send_msg({ do: name, id })
    const line = (one) => h("div", { class: "named", role: "group", "aria-label": one.name },
      h("button", { role: "menuitemradio", "aria-checked": String(one.chosen), disabled: one.lacking.length > 0, title: one.lacking.length ? `This run has no metric ${one.lacking.join(", ")}` : `${one.name}: ${one.words}`, "data-athena": "named-filter", "data-name": one.name, onclick: act("choose-filter", one.id) },
        h("span", { class: "tick", "aria-hidden": "true" }, one.chosen ? "✓" : ""), h("span", { class: "what" }, h("span", { class: "name" }, one.name), h("span", { class: "muted" }, one.words))),
      h("button", { role: "menuitem", class: "icon-button", title: "What it was, and when", "aria-label": `Versions of the filter ${one.name}`, "data-athena": "named-filter-history", onclick: act("filter-history", one.id) }, icon("history", 16)),
      model.may_write ? [h("button", { role: "menuitem", class: "icon-button", title: "Rename it, or replace its rules", "aria-label": `Change the filter ${one.name}`, "data-athena": "named-filter-change", onclick: act("change-filter", one.id) }, icon("edit", 16)),
        h("button", { role: "menuitem", class: "icon-button", title: "Delete it", "aria-label": `Delete the filter ${one.name}`, "data-athena": "named-filter-remove", onclick: act("remove-filter", one.id) }, icon("close", 16))] : null)
    const none = model.filters.length ? null : h("p", { class: "muted none" }, "No filter has a name yet. Rules under a name can be chosen in every run of this workflow.")
    const items = h("div", { class: "menu-items up wide" }, none, h("div", { class: "list", role: "menu", "aria-label": "Named filters" }, model.filters.map(line),
      model.may_write ? h("button", { role: "menuitem", class: "save-as", disabled: !model.ruled, title: model.ruled ? "For all runs of this workflow" : "There are no rules to save", "data-athena": "filter-name", onclick: ask("name-filter") }, "Save as…") : null))
    const chosen = model.filters.find((one) => one.chosen)
    return upward("named-filters", h("span", { class: "chosen" }, chosen ? chosen.name : "Filters"), items, chosen ? `The rules are those of “${chosen.name}”` : "Filters that this workflow keeps under names")
  }
  const menu = () => {
    const items = h("div", { class: "menu-items up", role: "menu" },
      h("button", { role: "menuitem", "data-athena": "export", onclick: ask("export") }, "Export…"),
      model.live ? h("button", { role: "menuitem", "data-athena": "update-live-export", title: "Applies the saved filter to what is still to come", onclick: ask("update-live") }, "Update live export")
        : h("button", { role: "menuitem", "data-athena": "live-export", onclick: ask("live-export") }, "Start live export…"))
    return upward("export-menu", "Export", items)
  }
  const count = h("span", { class: "count", "data-athena": "filter-count" })
  const drawCount = () => {
    count.dataset.kept = model.kept
    count.dataset.total = model.total
    count.replaceChildren(h("strong", {}, number.format(model.kept)), ` of ${number.format(model.total)} match`)
  }
  const draw = () => {
    el.replaceChildren(h("div", { class: "bar", "data-athena": "filter-bar" },
      model.jobs.map(job),
      h("div", { class: "line" },
        count,
        hand() ? h("span", { class: "muted", "data-athena": "filter-hand", title: "Judged by hand: goes before all rules" }, `${hand()} by hand`) : null,
        model.problem ? h("span", { class: "problem", role: "alert", "data-athena": "filter-problem" }, model.problem) : h("span", { class: "muted", role: "status", "data-athena": "filter-said" }, model.said),
        h("span", { class: "tools" },
          named(),
          model.changed ? h("span", { class: "is-warning", "data-athena": "filter-changed" }, "not applied") : null,
          h("button", { class: "action", disabled: !model.changed, title: "Back to the filter saved for the run", "data-athena": "filter-reset", onclick: ask("reset") }, "Reset"),
          model.may_write ? [h("button", { class: "action primary", disabled: !model.changed, title: "Saves the filter for everyone who sees this run", "data-athena": "filter-apply", onclick: ask("apply") }, "Apply"), menu()] : null))))
  }
  live(model, ["kept", "total"], drawCount) // under an open menu as well: charts that were drawn meanwhile are not of none
  live(model, ["accepted", "rejected", "changed", "may_write", "live", "jobs", "said", "problem", "ruled", "filters"], unlessMenu(el, draw))
}
