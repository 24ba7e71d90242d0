const ROLES = { primary: "Uploads", acquisition: "Microscopes", export: "Exports", archive: "Archive" }
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"]
const number = new Intl.NumberFormat("fr-FR", { useGrouping: true }) // thin spaces between thousands

function size(bytes) {
  let at = 0
  while (bytes >= 1000 && at < UNITS.length - 1) { bytes /= 1000; at += 1 }
  return `${at ? bytes.toPrecision(3) : bytes}\u2009${UNITS[at]}`
}

function recent(label, items, empty) {
  return h("section", {}, h("h2", {}, label), items.length ? h("div", { class: "list" }, items.map((item) =>
    h("a", { class: "line", href: item.search, "data-go": "", "data-athena": "recent", "data-name": item.name }, icon(item.kind),
      h("span", { class: "what" }, h("span", { class: "name" }, item.name), h("span", { class: "muted" }, item.way.map((one) => one.name).join(" › ") || item.type)),
      item.steps.length ? h("span", { class: "strip", role: "img", "aria-label": item.steps.map((step) => `${step.name}: ${STATUS[step.status][1]}`).join(", "), title: item.steps.map((step) => `${step.name}: ${STATUS[step.status][1]}`).join("\n") },
        item.steps.map((step) => h("i", { class: `is-${step.status}` }))) : h("span"),
      h("span", { class: "muted" }, clock(item.updated))))) : h("p", { class: "muted" }, empty))
}

function storage(one) {
  // of a device, what is taken counts, by whomever; of a quota, what Athena keeps
  const bound = one.quota ?? one.total
  const taken = one.quota !== null ? one.used : one.total !== null && one.free !== null ? one.total - one.free : one.used
  const share = bound ? taken / bound : 0
  const words = bound ? `${size(taken)} of ${size(bound)}${one.quota !== null ? " allowed" : ""} taken` : `${size(one.used)} kept`
  return h("div", { class: "storage", "data-athena": "storage", "data-name": one.name },
    h("span", {}, mark(one.state === "down" ? "error" : one.state === "stable" ? "completed" : "not_started"), h("strong", {}, one.name), h("span", { class: "muted" }, ` ${ROLES[one.role] ?? one.role}`)),
    bound ? h("meter", { value: share, max: 1, high: 0.9, optimum: 0, low: 0.8, "aria-label": `${one.name}: ${words}` }) : null,
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
