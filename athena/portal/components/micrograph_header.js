const STATES = {
  completed: ["completed", "Completed"], processing: ["in_progress", "In progress"], registered: ["in_progress", "Waiting to be processed"],
  error: ["error", "Error"], awaiting_movie: ["not_started", "Movie not there yet"],
}

// one line; more of them open on demand, so that the image keeps its room
function warnings(all) {
  const line = ({ name, text }) => h("p", { class: "is-warning", "data-athena": "acquisition-warning", "data-flag": name }, text)
  if (all.length < 2) return all.map(line)
  return h("details", { class: "warnings" }, h("summary", { class: "is-warning", "data-athena": "warnings" }, `${all[0].text} `, h("span", { class: "rest" }, `+${all.length - 1} more`)), all.slice(1).map(line))
}

export function render({ model, el }) {
  const turn = (address, name, label, key) => h("a", { class: `icon-button ${address ? "" : "off"}`, href: address || null, "data-go": address ? "" : null,
    title: `${label} (${key})`, "aria-label": label, role: address ? null : "link", "aria-disabled": address ? null : "true", "data-athena": name },
    name === "next" ? icon("chevron") : icon("back"))
  const key = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.composedPath().some((node) => /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName ?? ""))) return
    // the viewers' own keys: arrows pan what has the focus
    const arrow = event.key.startsWith("Arrow") && event.composedPath().some((node) => node.classList?.contains("viewer-stage") || node.getAttribute?.("role") === "tab")
    const name = arrow ? undefined : { ",": "previous", ".": "next", ArrowLeft: "previous", ArrowRight: "next" }[event.key]
    if (event.key === "t") el.querySelector(".views a:not(.chosen)")?.click()
    if (name) el.querySelector(`[data-athena="${name}"][href]`)?.click()
  }
  document.addEventListener("keydown", key)
  live(model, ["title", "state", "error", "warnings", "figures", "views", "branches", "where", "back", "previous", "following"], () => {
    const [status, word] = STATES[model.state] ?? ["not_started", model.state]
    el.replaceChildren(h("header", {},
      h("div", { class: "top" },
        h("a", { class: "back", href: model.back, "data-go": "", "data-athena": "back-to-run" }, icon("back", 16), "Run"),
        turn(model.previous, "previous", "Previous micrograph", "← or ,"), h("span", { class: "muted where", "data-athena": "where" }, model.where),
        turn(model.following, "next", "Next micrograph", "→ or ."),
        h("h1", { "data-athena": "title", title: model.title }, h("bdi", {}, model.title)),
        h("span", { class: "state", "data-athena": "acquisition-state", "data-state": model.state }, mark(status), h("span", { class: "muted" }, word)),
        h("span", { class: "views", role: "group", "aria-label": "In the centre" }, model.views.map((view) => h("a", { href: view.search, "data-go": "",
          class: view.chosen ? "chosen" : "", "aria-current": view.chosen ? "true" : null, title: `${view.label} in the centre (T changes it)`, "data-athena": `view-${view.name || "image"}` }, view.label))),
        branchChooser(model.branches),
        h("span", { class: "push" }),
        model.figures.map((figure) => h("span", { class: "figure", title: figure.label },
          h("span", { class: "muted label" }, figure.label), h("span", {}, h("strong", {}, figure.value), figure.unit ? h("span", { class: "muted" }, "\u2009", figure.unit) : "")))),
      branchNotice(model.branches),
      model.error ? h("p", { class: "is-error", role: "alert", "data-athena": "acquisition-error" }, model.error) : null,
      warnings(model.warnings)))
  })
  return () => document.removeEventListener("keydown", key)
}
