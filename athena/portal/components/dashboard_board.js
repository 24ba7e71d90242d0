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

export function render({ model, el }) {
  live(model, ["workflows", "folders", "storages", "version"], () => el.replaceChildren(h("div", { class: "board", "data-athena": "dashboard" },
    recent("Workflows opened lately", model.workflows, "None yet. Workspace, in the bar at the left, leads to all of them."),
    recent("Folders opened lately", model.folders, "None yet."),
    h("section", {}, h("h2", {}, "Storages"), model.storages.length ? h("div", { class: "storages" }, model.storages.map(storage)) : h("p", { class: "muted" }, "No storage is connected.")),
    h("p", { class: "muted" }, `Athena ${model.version}, free software under the BSD licence.`))))
}
