const SOURCE = {
  watching: ["in_progress", "Watching"], importing: ["in_progress", "Importing"],
  completed: ["completed", "Complete"], error: ["error", "Stopped"],
}

function count(value, words, kind, always) {
  if (!value && !always) return null
  return h("span", { class: "count", "data-athena": `run-${kind}`, "data-value": value },
    h("strong", { class: `is-${kind}` }, number.format(value)), h("span", { class: "muted" }, words))
}

function source_line(source) {
  if (!source.state) return null
  const [status, word] = SOURCE[source.state] ?? ["not_started", source.state]
  return h("div", { class: "source", "data-athena": "source", "data-state": source.state },
    mark(status),
    h("span", {}, word, " ", h("span", { class: "muted path", title: source.path }, source.session || source.path)),
    source.message ? h("span", { class: "muted message", "data-athena": "source-message", title: source.message }, source.message) : null,
    source.last_scan ? h("span", { class: "muted scan" }, "last scan ", clock(source.last_scan)) : null,
    source.quiet ? h("span", { class: "quiet is-warning", "data-athena": "stale", title: "The runner looks at the folder every few seconds. Is `athena runner` running?" },
      `no news for ${source.quiet}`) : null,
    source.problems?.length ? h("details", { class: "problems" },
      h("summary", { class: "is-warning", "data-athena": "source-problems" }, `${number.format(source.problems.length)} problem${source.problems.length === 1 ? "" : "s"}`),
      h("ul", {}, source.problems.slice(0, 200).map((text) => h("li", {}, text)))) : null)
}

export function render({ model, el }) {
  live(model, ["title", "kind", "status", "counts", "source", "branches", "tabs", "item", "problem"], unlessMenu(el, () => {
    const c = model.counts
    const listed = Boolean(el.querySelector(".problems[open]"))
    el.replaceChildren(h("header", {},
      h("div", { class: "top" },
        h("h1", { "data-athena": "title" }, model.title,
          model.status ? h("span", { class: "state" }, mark(model.status), h("span", { class: "muted" }, STATUS[model.status][1])) : null,
          model.item.state === "archived" ? h("span", { class: "state muted" }, icon("archive", 14), " Archived") : null),
        actionMenu(model.item, (asked) => model.send_msg(asked), el),
        branchChooser(model.branches),
        Object.keys(c).length === 0 ? null : h("div", { class: "counts", "data-athena": "counts" },
          count(c.completed ?? 0, "finished", "completed", true),
          count((c.processing ?? 0) + (c.registered ?? 0), "in progress", "in_progress", true),
          count(c.error ?? 0, "in error", "error", true),
          count(c.awaiting_movie ?? 0, "without movie", "not_started", false))),
      model.problem ? h("p", { class: "problem", role: "alert" }, model.problem) : null,
      branchNotice(model.branches, "The saved filter and the verdicts are the run's; exports from here go by this branch."),
      source_line(model.source),
      h("nav", { class: "tabs", role: "tablist" }, model.tabs.map((tab) =>
        h("a", { role: "tab", href: tab.search, "data-go": "", "aria-selected": String(tab.chosen), "data-athena": `tab-${tab.name}` }, tab.label)))))
    const problems = el.querySelector(".problems")
    if (problems) problems.open = listed // who reads them is not cut short by the next look at the folder
  }))
}
