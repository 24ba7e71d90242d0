const STATES = {
  completed: ["completed", "Completed"], processing: ["in_progress", "In progress"], registered: ["in_progress", "Waiting to be processed"],
  error: ["error", "Error"], awaiting_movie: ["not_started", "Movie not there yet"],
}
const FLAGS = { local_motion_rejected: "Local motion was not reliable here: only global motion was corrected." }

export function render({ model, el }) {
  const turn = (address, name, label, key) => h("a", { class: `icon-button ${address ? "" : "off"}`, href: address || null, "data-go": address ? "" : null,
    title: `${label} (${key})`, "aria-label": label, "aria-disabled": address ? null : "true", "data-athena": name },
    name === "next" ? icon("chevron") : icon("back"))
  const key = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.composedPath().some((node) => /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName ?? ""))) return
    const name = { ",": "previous", ".": "next" }[event.key]
    if (name) el.querySelector(`[data-athena="${name}"][href]`)?.click()
  }
  document.addEventListener("keydown", key)
  live(model, ["title", "state", "error", "flags", "figures", "where", "back", "previous", "following"], () => {
    const [status, word] = STATES[model.state] ?? ["not_started", model.state]
    el.replaceChildren(h("header", {},
      h("div", { class: "top" },
        h("a", { class: "back", href: model.back, "data-go": "", "data-athena": "back-to-run" }, icon("back", 16), "Run"),
        turn(model.previous, "previous", "Previous micrograph", ","), h("span", { class: "muted where" }, model.where),
        turn(model.following, "next", "Next micrograph", "."),
        h("h1", { "data-athena": "title", title: model.title }, model.title),
        h("span", { class: "state", "data-athena": "acquisition-state", "data-state": model.state }, mark(status), h("span", { class: "muted" }, word)),
        h("span", { class: "push" }),
        model.figures.map((figure) => h("span", { class: "figure", title: figure.label },
          h("span", { class: "muted label" }, figure.label), h("span", {}, h("strong", {}, figure.value), figure.unit ? h("span", { class: "muted" }, "\u2009", figure.unit) : "")))),
      model.error ? h("p", { class: "is-error", role: "alert", "data-athena": "acquisition-error" }, model.error) : null,
      model.flags.map((flag) => h("p", { class: "is-warning" }, FLAGS[flag] ?? flag))))
  })
  return () => document.removeEventListener("keydown", key)
}
