const CHOICE = "athena-list-form"

function strip(steps) {
  if (!steps.length) return null
  const said = steps.map((step) => `${step.name}: ${(STATUS[step.status] ?? STATUS.not_started)[1]}`).join("\n")
  return h("span", { class: "strip", title: said, role: "img", "aria-label": said },
    steps.map((step) => h("i", { class: `is-${step.status}` })))
}

const attributes = (item, kind) => item.state === "deleting"
  ? { class: `${kind} gone`, "aria-disabled": "true", title: "Being deleted" }
  : { class: kind, href: item.search, "data-go": "" }

function badge(item) {
  if (item.state === "archived") return h("span", { class: "badge muted", title: "Archived: its files are in the archive storage" }, icon("archive", 14), "Archived")
  return item.state === "deleting" ? h("span", { class: "badge is-warning" }, "Being deleted") : null
}

// a menu cannot stand inside a link: it lies over it
const framed = (kind, item, link, ask, root) => h("div", { class: `frame ${kind}-frame` }, link, actionMenu(item, ask, root))

function card(item, number) {
  return h("a", { ...attributes(item, "card"), "data-athena": "element", "data-name": item.name, "data-status": item.status },
    h("span", { class: "head" }, h("span", { class: "glyph" }, number ?? icon(item.kind, 20)),
      h("span", { class: "titles" }, h("span", { class: "name", title: item.name }, item.name), h("span", { class: "muted type" }, item.kind === "step" ? STATUS[item.status][1] : item.type)),
      item.status && !item.steps.length ? mark(item.status) : null),
    item.description ? h("span", { class: "muted about" }, item.description) : null,
    strip(item.steps),
    h("span", { class: "muted foot" }, badge(item) ?? count(item), h("span", { class: "push" }), item.kind === "step" ? null : clock(item.updated)))
}

function row(item, number) {
  return h("a", { ...attributes(item, "row"), "data-athena": "element", "data-name": item.name, "data-status": item.status },
    h("span", { class: "glyph" }, number ?? icon(item.kind)),
    h("span", { class: "name", title: item.name }, item.name),
    h("span", { class: "muted" }, item.type),
    h("span", {}, item.steps.length ? strip(item.steps) : item.status ? [mark(item.status), h("span", { class: "muted" }, STATUS[item.status][1])] : ""),
    h("span", { class: "muted" }, badge(item) ?? count(item)),
    h("span", { class: "muted" }, clock(item.updated)))
}

const INSIDE = { folder: "element", workflow: "step", step: "dataset" }
function count(item) {
  const what = INSIDE[item.kind]
  if (!what) return ""
  if (item.kind === "workflow") return ""
  return item.children ? `${item.children} ${what}${item.children === 1 ? "" : "s"}` : "Empty"
}

export function render({ model, el }) {
  let form = localStorage.getItem(CHOICE) ?? "cards"
  const choose = (wanted) => { form = wanted; localStorage.setItem(CHOICE, wanted); draw() }
  const toggle = (wanted, label) => h("button", { class: "icon-button", title: label, "aria-label": label, "aria-pressed": String(form === wanted),
    "data-athena": `form-${wanted}`, onclick: () => choose(wanted) }, icon(wanted))
  const draw = () => {
    const draw_one = form === "cards" ? card : row
    let body
    if (model.waiting && !model.items.length) body = Array.from({ length: 3 }, () => h("span", { class: form === "cards" ? "card skeleton" : "row skeleton" }))
    else if (!model.items.length) body = [h("p", { class: "empty muted", "data-athena": "empty" }, model.empty)]
    else body = model.items.map((item, at) => framed(form === "cards" ? "card" : "row", item,
      draw_one(item, model.ordered ? h("span", { class: "number" }, String(at + 1)) : null), (asked) => model.send_msg(asked), el))
    el.replaceChildren(
      h("div", { class: "tools" }, model.items.length ? h("span", { class: "muted" }, `${model.items.length} in all`) : null,
        h("span", { class: "push" }), toggle("cards", "Cards"), toggle("list", "List")),
      h("div", { class: form, "data-athena": "elements" }, body))
  }
  live(model, ["items", "empty", "ordered", "waiting"], draw)
}
