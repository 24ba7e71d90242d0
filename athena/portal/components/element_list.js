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

// a menu and a check box cannot stand inside a link: they lie over it
function framed(kind, item, link, ask, root, chosen, choose) {
  const box = choosable(item).length ? h("input", { type: "checkbox", class: "pick", checked: chosen.has(item.id), "data-athena": "pick",
    title: "Select", "aria-label": `Select ${item.name}`, onclick: (event) => choose(item, event.target.checked, event.shiftKey) }) : null
  return h("div", { class: `frame ${kind}-frame${chosen.has(item.id) ? " picked" : ""}` }, link, box, actionMenu(item, ask, root))
}

// what can be done with several at once (WS-11)
const MANY = ["download", "move", "export", "cleanup", "archive", "restore", "delete"]
const choosable = (item) => MANY.filter((name) => item.actions.includes(name))

// all their addresses are those of one element each
const zipOf = (items) => `${items[0].zip.split("?")[0]}?${items.map((item) => item.zip.split("?")[1]).join("&")}`

function confirmMany(name, items, ask, root) {
  const { action, danger, text } = ACTIONS[name]
  const words = `${items.length} element${items.length === 1 ? "" : "s"}`
  const typed = danger ? h("input", { class: "field", placeholder: String(items.length), inputmode: "numeric", "aria-label": "How many", "data-athena": "action-input" }) : null
  const go = h("button", { class: danger ? "action danger" : "action primary", "data-athena": "action-go", disabled: danger }, `${action} ${words}`)
  if (typed) typed.addEventListener("input", () => { go.disabled = typed.value.trim() !== String(items.length) })
  const dialog = h("dialog", { class: "dialog", "aria-label": action, "data-athena": "action-dialog", onclose: () => dialog.remove() },
    h("form", { method: "dialog", onsubmit: () => ask({ do: name, ids: items.map((item) => item.id) }) },
      h("h2", {}, `${action} ${words}`),
      h("p", { class: "names" }, items.slice(0, 12).map((item) => item.name).join(", ") + (items.length > 12 ? ` and ${items.length - 12} more` : "")),
      h("p", {}, danger ? "All that is in them goes with them, archived files too. This cannot be undone. Type how many they are to delete them." : text),
      typed, h("div", { class: "buttons" }, h("button", { type: "button", class: "action", onclick: () => dialog.close() }, "Cancel"), go)))
  root.append(dialog)
  dialog.showModal()
  typed?.focus()
}

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

// goes where a link of the portal goes
const follow = (search, from) => { const link = h("a", { href: search, "data-go": "", "data-from": from, hidden: true }); document.body.append(link); link.click(); link.remove() }

function sorter(order) {
  if (!order.sorts) return []
  const choice = h("select", { class: "field", title: "Order by", "aria-label": "Order by", "data-athena": "sort", onchange: () => follow(choice.value, order.here) },
    order.sorts.map((sort) => h("option", { value: sort.search, selected: sort.chosen }, sort.label)))
  const said = order.descending ? "Descending: turn to ascending" : "Ascending: turn to descending"
  return [choice, h("a", { class: "icon-button", href: order.turn, "data-go": "", "data-from": order.here, title: said, "aria-label": said, "data-athena": "turn" }, icon(order.descending ? "falling" : "rising"))]
}

function pager(pages, here) {
  if (!pages.total) return []
  const told = pages.before || pages.after ? `${number.format(pages.first)}–${number.format(pages.last)} of ${number.format(pages.total)}` : `${number.format(pages.total)} in all`
  const step = (search, name, label) => search ? h("a", { class: "icon-button", href: search, "data-go": "", "data-from": here, title: label, "aria-label": label, "data-athena": `page-${name}` }, icon(name)) : null
  return [h("span", { class: "muted", "data-athena": "count" }, told), step(pages.before, "back", "Elements before these"), step(pages.after, "chevron", "Elements after these")]
}

export function render({ model, el }) {
  let form = localStorage.getItem(CHOICE) ?? "cards"
  const chosen = new Set()
  let anchor = null
  const ask = (asked) => model.send_msg(asked)
  const prefer = (wanted) => { form = wanted; localStorage.setItem(CHOICE, wanted); draw() }
  const toggle = (wanted, label) => h("button", { class: "icon-button", title: label, "aria-label": label, "aria-pressed": String(form === wanted),
    "data-athena": `form-${wanted}`, onclick: () => prefer(wanted) }, icon(wanted))
  const pickable = () => model.items.filter((item) => choosable(item).length)
  const choose = (item, wanted, range) => {
    const all = pickable().map((one) => one.id)
    const from = range && anchor ? all.indexOf(anchor) : -1
    const to = all.indexOf(item.id)
    for (const id of from < 0 ? [item.id] : all.slice(Math.min(from, to), Math.max(from, to) + 1)) chosen[wanted ? "add" : "delete"](id)
    anchor = item.id
    draw()
    el.querySelector?.(`[aria-label="${CSS.escape(`Select ${item.name}`)}"]`)?.focus()
  }
  const clear = () => { chosen.clear(); draw() }
  const selection = () => {
    const items = model.items.filter((item) => chosen.has(item.id))
    const common = MANY.filter((name) => items.every((item) => item.actions.includes(name)))
    return [h("strong", { "data-athena": "chosen" }, `${items.length} selected`),
      ...common.map((name) => h("button", { class: ACTIONS[name].danger ? "action danger" : "action", "data-athena": `many-${name}`, onclick: () => {
        if (name === "download") save(zipOf(items))
        else if (ACTIONS[name].asks) ask({ do: name, ids: items.map((item) => item.id) })
        else confirmMany(name, items, (asked) => { ask(asked); clear() }, el)
      } }, ACTIONS[name].label)),
      h("button", { class: "action", "data-athena": "pick-all", onclick: () => { pickable().forEach((item) => chosen.add(item.id)); draw() } }, "Select all shown"),
      h("button", { class: "action", "data-athena": "pick-none", onclick: clear }, "Clear")]
  }
  el.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen.size && !event.defaultPrevented) clear() })
  const draw = () => {
    const draw_one = form === "cards" ? card : row
    const there = new Set(pickable().map((item) => item.id))
    for (const id of chosen) if (!there.has(id)) chosen.delete(id)
    let body
    if (model.waiting && !model.items.length) body = Array.from({ length: 3 }, () => h("span", { class: form === "cards" ? "card skeleton" : "row skeleton" }))
    else if (!model.items.length) body = [h("p", { class: "empty muted", "data-athena": "empty" }, model.pages.total ? "Nothing is on this page any more: go back to the one before." : model.empty)]
    else body = model.items.map((item) => framed(form === "cards" ? "card" : "row", item,
      draw_one(item, model.ordered ? h("span", { class: "number" }, String(item.position + 1)) : null), ask, el, chosen, choose))
    el.replaceChildren(
      h("div", { class: "tools" }, chosen.size ? selection() : pager(model.pages, model.order.here),
        h("span", { class: "push" }), !chosen.size && (model.items.length > 1 || model.pages.before) ? sorter(model.order) : null, toggle("cards", "Cards"), toggle("list", "List")),
      h("div", { class: `${form}${chosen.size ? " choosing" : ""}`, "data-athena": "elements" }, body))
  }
  live(model, ["items", "empty", "ordered", "order", "pages", "waiting"], unlessMenu(el, draw))
}
