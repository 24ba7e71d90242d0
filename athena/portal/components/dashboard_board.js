function recent(label, items, empty) {
  return h("section", {}, h("h2", {}, label), items.length ? h("div", { class: "list" }, items.map((item) =>
    h("a", { class: "line", href: item.search, "data-go": "", "data-athena": "recent", "data-name": item.name }, icon(item.kind),
      h("span", { class: "what" }, h("span", { class: "name" }, item.name), h("span", { class: "muted" }, item.way.map((one) => one.name).join(" › ") || item.type)),
      item.steps.length ? h("span", { class: "strip", role: "img", "aria-label": item.steps.map((step) => `${step.name}: ${STATUS[step.status][1]}`).join(", "), title: item.steps.map((step) => `${step.name}: ${STATUS[step.status][1]}`).join("\n") },
        item.steps.map((step) => h("i", { class: `is-${step.status}` }))) : h("span"),
      h("span", { class: "muted" }, clock(item.updated))))) : h("p", { class: "muted" }, empty))
}

function storage(one) {
  const { share, words } = storageUse(one)
  return h("div", { class: "storage", "data-athena": "storage", "data-name": one.name },
    h("span", {}, mark(STORAGE_MARKS[one.state]), h("strong", {}, one.name), h("span", { class: "muted" }, ` ${STORAGE_ROLES[one.role] ?? one.role}`)),
    share === null ? null : meter(one.name, share, words),
    h("span", { class: "muted" }, words, ", ", number.format(one.files), one.files === 1 ? " file of Athena" : " files of Athena"),
    one.state === "down" ? h("span", { class: "is-error" }, one.message || "It does not answer.") : null)
}

const LEVELS = { error: "▲", warning: "!" }

const none = () => h("span", { class: "none" }, icon("micrograph", 24))

function run(one) {
  const concern = ({ level, text }) => h("li", { class: `is-${level}`, "data-athena": "concern", "data-level": level }, h("span", { class: "sign", "aria-hidden": "true" }, LEVELS[level]), h("span", {}, text))
  return h("div", { class: "run", "data-athena": "live-run", "data-name": one.name },
    one.picture ? h("img", { src: one.picture, alt: "", draggable: "false", onerror: (event) => event.target.replaceWith(none()) }) : none(),
    h("span", { class: "what" }, h("a", { class: "name", href: one.search, "data-go": "" }, one.name), h("span", { class: "muted" }, one.way.map((step) => step.name).join(" › "))),
    h("span", { class: "figure" }, h("strong", { "data-athena": "live-rate" }, one.rate || "–"), h("span", { class: "muted" }, "\u2009an hour")),
    h("span", { class: "figure" }, h("strong", {}, number.format(one.completed)), h("span", { class: "muted" }, ` of ${number.format(one.total)}`)),
    h("span", { class: "last" }, one.last_search ? [h("span", { class: "muted" }, "Last ", clock(one.last_time)), h("a", { class: "shot", href: one.last_search, "data-go": "", title: one.last_name }, h("bdi", {}, one.last_name))] : h("span", { class: "muted" }, "No image yet")),
    one.concerns.length ? h("ul", {}, one.concerns.map(concern)) : h("p", { class: "fine", "data-athena": "live-fine" }, mark("completed"), "Nothing is wrong with it."))
}

export function render({ model, el }) {
  live(model, ["live", "workflows", "folders", "storages", "version"], () => el.replaceChildren(h("div", { class: "board", "data-athena": "dashboard" },
    h("section", {}, h("h2", {}, "Acquired now"), model.live.length ? h("div", { class: "list" }, model.live.map(run)) : h("p", { class: "muted", "data-athena": "live-none" }, "No session folder is followed at the moment.")),
    recent("Workflows opened lately", model.workflows, "None yet. Workspace, in the bar at the left, leads to all of them."),
    recent("Folders opened lately", model.folders, "None yet."),
    h("section", {}, h("h2", {}, "Storages"), model.storages.length ? h("div", { class: "storages" }, model.storages.map(storage)) : h("p", { class: "muted" }, "No storage is connected.")),
    h("p", { class: "muted" }, `Athena ${model.version}, free software under the BSD licence.`))))
}
