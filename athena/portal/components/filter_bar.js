const MARKS = { running: "in_progress", pending: "not_started", failed: "error", finished: "completed", cancelled: "suspended" }
const WORDS = { running: "", pending: "waiting", failed: "failed", finished: "finished", cancelled: "cancelled" }

export function render({ model, el }) {
  const ask = (name) => () => model.send_msg({ do: name })
  const job = (one) => h("div", { class: "job", "data-athena": "export-job", "data-state": one.state }, mark(MARKS[one.state]),
    h("a", { href: "?p=jobs", "data-go": "" }, one.label), " ",
    one.state === "running" && one.total ? h("progress", { value: one.done, max: one.total, "aria-label": one.label }) : null,
    h("span", { class: "muted" }, [WORDS[one.state], one.done ? `${number.format(one.done)}${one.total ? ` of ${number.format(one.total)}` : ""} ${one.unit}` : ""].filter(Boolean).join(" · ")),
    one.state === "failed" ? h("span", { class: "is-error where" }, one.message) : h("span", { class: "muted where", title: one.location, "data-athena": "export-location" }, one.location))
  const hand = () => [model.accepted ? `${number.format(model.accepted)} accepted` : "", model.rejected ? `${number.format(model.rejected)} rejected` : ""].filter(Boolean).join(", ")
  const menu = () => {
    const items = h("div", { class: "menu-items up", role: "menu" },
      h("button", { role: "menuitem", "data-athena": "export", onclick: ask("export") }, "Export…"),
      model.live ? h("button", { role: "menuitem", "data-athena": "update-live-export", title: "Applies the saved filter to what is still to come", onclick: ask("update-live") }, "Update live export")
        : h("button", { role: "menuitem", "data-athena": "live-export", onclick: ask("live-export") }, "Start live export…"))
    const details = h("details", { class: "menu-of", onkeydown: (event) => { if (event.key === "Escape") details.open = false },
      onfocusout: (event) => { if (!details.contains(event.relatedTarget)) details.open = false }, onclick: (event) => { if (event.target.closest(".menu-items")) details.open = false } },
      h("summary", { class: "action", "data-athena": "export-menu" }, "Export ▴"), items)
    return details
  }
  const draw = () => {
    const open = el.querySelector("details")?.open
    el.replaceChildren(h("div", { class: "bar", "data-athena": "filter-bar" },
      model.jobs.map(job),
      h("div", { class: "line" },
        h("span", { class: "count", "data-athena": "filter-count", "data-kept": model.kept, "data-total": model.total }, h("strong", {}, number.format(model.kept)), ` of ${number.format(model.total)} match`),
        hand() ? h("span", { class: "muted", "data-athena": "filter-hand", title: "Judged by hand: goes before all rules" }, `${hand()} by hand`) : null,
        model.problem ? h("span", { class: "problem", role: "alert", "data-athena": "filter-problem" }, model.problem) : h("span", { class: "muted", role: "status", "data-athena": "filter-said" }, model.said),
        h("span", { class: "tools" },
          model.changed ? h("span", { class: "is-warning", "data-athena": "filter-changed" }, "not applied") : null,
          h("button", { class: "action", disabled: !model.changed, title: "Back to the filter saved for the run", "data-athena": "filter-reset", onclick: ask("reset") }, "Reset"),
          model.may_write ? [h("button", { class: "action primary", disabled: !model.changed, title: "Saves the filter for everyone who sees this run", "data-athena": "filter-apply", onclick: ask("apply") }, "Apply"), menu()] : null))))
    if (open && el.querySelector("details")) el.querySelector("details").open = true
  }
  live(model, ["kept", "total", "accepted", "rejected", "changed", "may_write", "live", "jobs", "said", "problem"], draw)
}
