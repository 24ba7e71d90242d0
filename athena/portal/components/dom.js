// Prepended to every component's script: elements, icons and status marks.

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (name === "html") element.innerHTML = value
    else element.setAttribute(name, value === true ? "" : value)
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""))
  return element
}

const STROKES = {
  home: "M4 11 12 4l8 7M6 9.5V20h4.5v-6h3v6H18V9.5",
  workspace: "M4 5h6v6H4zM14 5h6v6h-6zM4 15h6v4H4zM14 15h6v4h-6z",
  folder: "M3 6h6l2 2.5h10V19H3z",
  workflow: "M5 5h5v4H5zM14 10h5v4h-5zM5 15h5v4H5zM10 7h3v10h-3M13 12h1",
  step: "M5 6h14M5 12h14M5 18h9",
  dataset: "M4 7c0-4 16-4 16 0v10c0 4-16 4-16 0zM4 7c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
  micrograph: "M4 4h16v16H4zM9 9.5a1.5 1.5 0 1 0 .01 0M15 15a2 2 0 1 0 .01 0M15.500 8.500a1 1 0 1 0 .01 0",
  dark: "M19 14.500A7.500 7.500 0 0 1 9.500 5 7.500 7.500 0 1 0 19 14.500z",
  light: "M12 8a4 4 0 1 0 .01 0M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400",
  user: "M12 4.500a3.500 3.500 0 1 0 .01 0M5 20c0-4 3-6 7-6s7 2 7 6",
  chevron: "m9 6 6 6-6 6",
  back: "m15 6-6 6 6 6",
  cards: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  list: "M4 6h16M4 12h16M4 18h16",
  panel: "M4 5h16v14H4zM9 5v14",
  exit: "M14 5H5v14h9M10 12h10M17 9l3 3-3 3",
  warning: "M12 4 3 20h18zM12 10v4M12 17v.01",
  copy: "M9 9h10v11H9zM5 15V4h10",
  more: "M12 5a1 1 0 1 0 .01 0M12 11a1 1 0 1 0 .01 0M12 17a1 1 0 1 0 .01 0",
  jobs: "M6 4h12M6 20h12M7 4c0 5 4 5 4 8s-4 3-4 8M17 4c0 5-4 5-4 8s4 3 4 8",
  search: "M10.500 4.500a6 6 0 1 0 .01 0M15 15l5 5",
  dashboard: "M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z",
  sample: "M9 3h6M10 3v6L5 18.500A1.700 1.700 0 0 0 6.500 21h11a1.700 1.700 0 0 0 1.500-2.500L14 9V3M7.500 15h9",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  filter: "M4 6h16l-6 7v5l-4 2v-7z",
  code: "m8 7-5 5 5 5M16 7l5 5-5 5M13.500 5l-3 14",
  storage: "M4 5h16v6H4zM4 13h16v6H4zM7 8h.01M7 16h.01M11 8h6M11 16h6",
  guide: "M9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.300-1 .800-1 1.700M12 16.500v.01M12 3.500a8.500 8.500 0 1 0 .01 0",
  settings: "M4 7h9M17 7h3M15 5a2 2 0 1 0 .01 0M4 17h3M11 17h9M9 15a2 2 0 1 0 .01 0",
  licence: "M4 5h16v11H4zM7 9h7M7 12h4M15 14v6l2-1.500 2 1.500v-6",
  users: "M9 5a3 3 0 1 0 .01 0M3 19c0-3.500 2.500-5 6-5s6 1.500 6 5M16 6a2.500 2.500 0 1 1 0 5M17 14c2.500.300 4 1.800 4 4.500",
  upload: "M12 16V5M7.500 9.500 12 5l4.500 4.500M5 19h14",
  rising: "M7 20V5M3.500 8.500 7 5l3.500 3.500M13 7h4M13 12h6M13 17h8",
  falling: "M7 4v15M3.500 15.500 7 19l3.500-3.500M13 7h8M13 12h6M13 17h4",
  down: "m6 9 6 6 6-6",
  bell: "M6 17V11a6 6 0 0 1 12 0v6M4 17h16M10.500 20h3M12 3v2",
  close: "M6 6l12 12M18 6 6 18",
  keys: "M3 6h18v12H3zM6.500 10h.01M10.500 10h.01M14.500 10h.01M18 10h.01M7.500 14.500h9",
  history: "M4 5v4.500h4.500M4.500 9.500A8 8 0 1 1 4 13M12 8v4.500l3 2",
  edit: "M4 20h4L19.500 8.500l-4-4L4 16zM13 7l4 4",
  archive: "M4 5h16v4H4zM5.500 9v10h13V9M10 13h4",
}

function icon(name, size = 18) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  const settings = { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor",
    "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }
  for (const [key, value] of Object.entries(settings)) svg.setAttribute(key, value)
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", STROKES[name] ?? STROKES.dataset)
  svg.append(path)
  return svg
}

const STATUS = {
  completed: ["●", "Completed"], in_progress: ["◐", "In progress"], error: ["▲", "Error"], warning: ["!", "Warning"],
  suspended: ["‖", "Suspended"], not_started: ["○", "Not started"],
}

function mark(status) {
  const [shape, label] = STATUS[status] ?? STATUS.not_started
  return h("span", { class: `mark is-${status}`, title: label, role: "img", "aria-label": label }, shape)
}

function clock(iso) {
  if (!iso) return null
  const time = new Date(iso)
  const day = time.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "short", year: "numeric" }
  const shown = time.toLocaleString(undefined, { ...day, hour: "2-digit", minute: "2-digit", hour12: false })
  return h("time", { datetime: iso, title: time.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }) }, shown)
}

const number = new Intl.NumberFormat("fr-FR", { useGrouping: true }) // thin spaces between thousands
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"]

function size(bytes) {
  let at = 0
  while (bytes >= 999.5 && at < UNITS.length - 1) { bytes /= 1000; at += 1 }
  return `${at ? bytes.toPrecision(3) : bytes}\u2009${UNITS[at]}`
}

const STORAGE_ROLES = { primary: "Uploads", acquisition: "Microscopes", export: "Exports", archive: "Archive" }
const STORAGE_MARKS = { down: "error", stable: "completed", unknown: "not_started" }

// how full a storage is: of a device, what is taken counts, by whomever; of a quota, what Athena keeps
function storageUse(one) {
  const bound = one.quota ?? one.total
  const taken = one.quota !== null ? one.used : one.total !== null && one.free !== null ? one.total - one.free : one.used
  const words = bound ? `${size(taken)} of ${size(bound)}${one.quota !== null ? " allowed" : ""} taken` : `${size(one.used)} kept`
  return { share: bound ? taken / bound : null, words }
}

function meter(name, share, words) {
  return h("meter", { value: share, max: 1, high: 0.9, optimum: 0, low: 0.8, "aria-label": `${name}: ${words}` })
}

// draws now and again whenever one of the component's properties changes, once a frame
function live(model, names, draw) {
  let asked = false
  const redraw = () => { asked = false; draw() }
  for (const name of names) model.on(name, () => { if (!asked) { asked = true; requestAnimationFrame(redraw) } })
  draw()
}

// a drawing that waits while a menu is open: what someone is about to press must not be drawn anew under the pointer
function unlessMenu(root, draw) {
  let late = false
  root.addEventListener("toggle", (event) => { if (late && !event.target.open) { late = false; draw() } }, true)
  return () => { if (root.querySelector("details.menu-of[open]")) late = true; else draw() }
}

// saves what an address gives, without leaving the page
// to the clipboard; browsers keep the modern way from pages that came by plain http
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  let beside = document.activeElement // inside an open dialog, which alone may be selected in
  while (beside?.shadowRoot?.activeElement) beside = beside.shadowRoot.activeElement
  const held = h("textarea", { readonly: true, style: "position: fixed; opacity: 0" }, text)
  ;(beside?.parentNode ?? document.body).append(held)
  held.select()
  document.execCommand("copy")
  held.remove()
}

function save(address) {
  const link = h("a", { href: address, download: true, hidden: true })
  document.body.append(link)
  link.click()
  link.remove()
}

// what may be done with an element: a button with three dots, and a dialog for what needs a word more
const ACTIONS = {
  rename: { label: "Rename…", action: "Rename", field: "name" },
  describe: { label: "Describe…", title: "Describe", action: "Save", field: "description" },
  status: { label: "Set status…", title: "Set the status of", action: "Set", field: "status" },
  link: { label: "Copy link" },
  download: { label: "Download" },
  // these ask more, in the dialog of the shell
  move: { label: "Move…", asks: true },
  export: { label: "Export…", asks: true },
  cleanup: { label: "Clean up…", asks: true },
  archive: { label: "Archive…", action: "Archive", text: "Its files go to the archive storage. Metadata, previews and results stay; Restore brings the files back." },
  restore: { label: "Restore…", action: "Restore", text: "Its files come back from the archive storage." },
  delete: { label: "Delete…", action: "Delete", danger: true },
}
const SETTABLE = ["not_started", "in_progress", "completed", "suspended", "warning"]

// keys and focus of a menu behind a summary: arrows go along it, Escape closes it and goes back, going elsewhere closes it
const menuHands = {
  onkeydown: (event) => {
    const menu = event.currentTarget
    if (!menu.open) return
    if (event.key === "Escape") { event.stopPropagation(); shutMenu(menu) }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const items = [...menu.querySelectorAll("summary ~ * :is(a, button)")]
    const at = items.indexOf(menu.getRootNode().activeElement)
    items.at(at < 0 && step < 0 ? -1 : (at + step) % items.length).focus()
  },
  onfocusout: (event) => { if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false },
}

// what has the focus must not vanish with the menu: a dialog that follows gives it back to where it was
function shutMenu(menu) {
  menu.querySelector("summary").focus()
  menu.open = false
}

function actionMenu(item, ask, root) {
  if (!item.actions?.length) return null
  const list = h("div", { class: "menu-items", role: "menu" })
  const menu = h("details", { class: "menu-of", onclick: (event) => event.stopPropagation(), ...menuHands },
    h("summary", { class: "icon-button", title: "Actions", "aria-label": `Actions for ${item.name}`, "data-athena": "actions" }, icon("more")), list)
  list.append(...item.actions.map((name) => h("button", { role: "menuitem", class: ACTIONS[name].danger ? "is-error" : "", "data-athena": `action-${name}`, onclick: async () => {
    shutMenu(menu)
    if (name === "download") { save(item.zip); return }
    if (ACTIONS[name].asks) { ask({ do: name, id: item.id, value: "" }); return }
    if (name !== "link") { confirmAction(name, item, ask, root); return }
    await copy(new URL(item.search, location.href).href)
  } }, ACTIONS[name].label)))
  return menu
}

function confirmAction(name, item, ask, root) {
  const { label, title, action, field, danger, text } = ACTIONS[name]
  const options = SETTABLE.map((status) => h("option", { value: status, selected: status === item.status }, STATUS[status][1]))
  const input = field === "status" ? h("select", { class: "field" }, options)
    : field === "description" ? h("textarea", { class: "field", rows: 5, maxlength: 20000 }, item.description ?? "")
    : field ? h("input", { class: "field", value: item.name, required: true, maxlength: 400 })
    : danger ? h("input", { class: "field", placeholder: item.name }) : null
  if (input) {
    input.setAttribute("data-athena", "action-input")
    input.setAttribute("aria-label", danger ? "Its name" : field === "name" ? "New name" : label.replace("…", ""))
  }
  const inside = item.children ? ` ${item.children === 1 ? "1 element inside it, and all that is in that, go" : `${number.format(item.children)} elements inside it, and all that is in them, go`}` : " All that is in it goes"
  const go = h("button", { class: danger ? "action danger" : "action primary", "data-athena": "action-go", disabled: danger }, action)
  if (danger) input.addEventListener("input", () => { go.disabled = input.value !== item.name })
  const dialog = h("dialog", { class: "dialog", "aria-label": label, "data-athena": "action-dialog", onclose: () => dialog.remove() },
    h("form", { method: "dialog", onsubmit: () => ask({ do: name, id: item.id, value: field ? input.value : "" }) },
      h("h2", {}, `${title ?? action} “${item.name}”`),
      danger ? h("p", {}, `${inside.trim()} with it, archived files too. This cannot be undone. Type its name to delete it.`) : text ? h("p", {}, text) : null,
      input, h("div", { class: "buttons" }, h("button", { type: "button", class: "action", onclick: () => dialog.close() }, "Cancel"), go)))
  root.append(dialog)
  dialog.showModal()
  input?.focus()
  if (field === "name") input.select()
}

// a field of a dialog or form, by what is said of it: {name, label, type, value, options, …}
function inputOf({ label, type = "text", value = "", options = [], ...more }) {
  const common = { class: "field", "data-athena": `field-${more.name}`, ...more }
  if (type === "select") return h("select", common, options.map(([key, word]) => h("option", { value: key, selected: key === value }, word)))
  if (type === "textarea") return h("textarea", { rows: 3, ...common }, value)
  if (type === "checkbox") return h("input", { ...common, class: "", type, checked: Boolean(value) })
  return h("input", { autocomplete: "off", ...common, type, value })
}

function fieldLabel(field, input) {
  return h("label", { class: field.type === "checkbox" ? "check" : "" }, field.type === "checkbox" ? [input, " ", field.label] : [h("span", {}, field.label), input],
    field.hint ? h("span", { class: "muted" }, field.hint) : null)
}

// a dialog that asks for the values of some fields; it closes when the page says that it was done, and says why it was not
function askDialog(model, root, { label, text, fields = [], action, danger, send }) {
  const inputs = fields.map((field) => inputOf(field))
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const go = h("button", { class: danger ? "action danger" : "action primary", "data-athena": "dialog-go" }, action)
  const refuse = () => { problem.textContent = model.problem; problem.hidden = !model.problem; if (model.problem) go.disabled = false }
  const end = () => dialog.close()
  const submit = (event) => {
    event.preventDefault()
    go.disabled = true
    send(Object.fromEntries(inputs.filter((input) => !input.disabled).map((input) => [input.name, input.type === "checkbox" ? input.checked : input.value])))
  }
  const dialog = h("dialog", { class: "dialog", "aria-label": label, "data-athena": "dialog", onclose: () => { model.off("problem", refuse); model.off("done", end); dialog.remove() } },
    h("form", { onsubmit: submit }, h("h2", {}, label), text ? h("p", { class: danger ? "" : "muted" }, text) : null,
      fields.map((field, index) => fieldLabel(field, inputs[index])), problem,
      h("div", { class: "buttons" }, h("button", { type: "button", class: "action", onclick: () => dialog.close() }, "Cancel"), go)))
  model.on("problem", refuse)
  model.on("done", end)
  root.append(dialog)
  dialog.showModal()
  inputs[0]?.focus()
}

// a menu behind three dots: pairs of what it says and what it does, with a name for tests
function menuOf(name, entries) {
  const list = h("div", { class: "menu-items", role: "menu" })
  const menu = h("details", { class: "menu-of", ...menuHands },
    h("summary", { class: "icon-button", title: "Actions", "aria-label": `Actions for ${name}`, "data-athena": "actions" }, icon("more")), list)
  list.append(...entries.filter(Boolean).map(([hook, label, act, danger]) => h("button", { role: "menuitem", class: danger ? "is-error" : "", "data-athena": `do-${hook}`,
    onclick: () => { shutMenu(menu); act() } }, label)))
  return menu
}

// which branch of a run's results is looked at: a choice where there are several
function branchChooser(branches) {
  if (branches.length < 2) return null
  const links = branches.map((one) => h("a", { href: one.search, "data-go": "", hidden: true }))
  const choose = h("select", { class: "field", "aria-label": "Branch of results", title: "Branch of results", "data-athena": "branch-chooser",
    onchange: (event) => links[event.target.selectedIndex].click() },
    branches.map((one) => h("option", { value: one.name, selected: one.chosen }, one.default ? `${one.name} (default)` : one.name)))
  return h("span", { class: "branch-chooser" }, choose, links)
}

// says that another branch than the default one is looked at, and leads back
function branchNotice(branches, text = "") {
  const chosen = branches.find((one) => one.chosen)
  if (!chosen || chosen.default) return null
  return h("p", { class: "branch-notice", role: "status", "data-athena": "branch-notice" }, mark("warning"), h("span", {}, "Branch ", h("strong", {}, chosen.name), ", not the default. ", text),
    h("a", { href: branches.find((one) => one.default).search, "data-go": "", "data-athena": "branch-leave" }, "Show the default"))
}

const choiceWords = (choice) => ({ true: "yes", false: "no" })[choice] ?? choice.replaceAll("_", " ")

// a field for a parameter of the processing: {name, about, kind, choices, usual}; `set` hears the value, null for none
function parameterField(p, value, set, hook) {
  const common = { class: "field", "data-athena": `${hook}-${p.name}`, title: p.about }
  if (p.kind === "choice") return h("select", { ...common, onchange: (event) => set(event.target.value || null) },
    h("option", { value: "" }, `usual: ${choiceWords(p.usual)}`), p.choices.map((choice) => h("option", { value: choice, selected: choice === value }, choiceWords(choice))))
  return h("input", { ...common, type: p.kind === "text" ? "text" : "number", step: p.kind === "whole" ? 1 : "any", value: value ?? "", placeholder: p.usual,
    oninput: (event) => { const typed = event.target.value; set(typed === "" ? null : p.kind === "text" ? typed : Number(typed)) } })
}
