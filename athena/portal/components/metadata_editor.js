const TYPES = [["string", "Text"], ["double", "Number"], ["integer", "Whole number"], ["boolean", "Yes or no"], ["date", "Date"]]
const FORMATS = ["csv", "json", "xml"]
const numeric = (type) => type === "double" || type === "integer"

function shown(entry) {
  if (typeof entry.value === "boolean") return entry.value ? "Yes" : "No"
  if (entry.type === "date") return clock(entry.value)
  if (typeof entry.value === "number" && !Number.isInteger(entry.value)) return String(Number(entry.value.toPrecision(6)))
  return String(entry.value)
}

const labelled = (label, field) => h("label", {}, h("span", { class: "muted" }, label), field)
const options = (pairs, chosen) => pairs.map(([value, label]) => h("option", { value, selected: value === chosen }, label))

export function render({ model, el }) {
  let words = ""
  let editing = null // null: no form; {}: a new one; else the entry
  let removing = ""
  const list = h("div", { "data-athena": "metadata" })
  const form = h("form", { class: "form", hidden: true, "data-athena": "metadata-form" })
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const add = h("button", { class: "action", "data-athena": "metadata-add", onclick: () => edit({}) }, "Add")
  const filter = h("input", { class: "field", type: "search", placeholder: "Find in metadata", "aria-label": "Find in metadata",
    "data-athena": "metadata-filter", oninput: () => { words = filter.value.toLowerCase(); draw() } })

  const edit = (entry) => {
    editing = entry
    removing = ""
    problem.hidden = true
    form.hidden = !entry
    if (entry) fill(entry)
    draw()
  }

  const fill = (entry) => {
    const isNew = !entry.name
    const name = h("input", { class: "field", list: "names", required: true, maxlength: 200, value: entry.name, readonly: !isNew, "data-athena": "metadata-name" })
    const type = h("select", { class: "field", "data-athena": "metadata-type" }, options(TYPES, entry.type ?? "string"))
    const known = (key) => model.quantities.find((one) => one.key === key || one.label.toLowerCase() === String(key).toLowerCase())
    const quantity = h("input", { class: "field", list: "quantities", placeholder: "none", value: known(entry.quantity)?.label ?? "", "data-athena": "metadata-quantity" })
    const unit = h("select", { class: "field", "data-athena": "metadata-unit" })
    const value = h("span")
    const measured = h("div", { class: "two" }, labelled("Quantity", quantity), labelled("Unit", unit))
    const convert = h("button", { class: "link", type: "button", hidden: true, "data-athena": "metadata-convert", onclick: () =>
      model.send_msg({ do: "convert", value: Number(value.firstChild.value), quantity: entry.quantity, unit: entry.unit, to: unit.value }) })
    const draw_units = () => {
      const units = known(quantity.value)?.units ?? []
      unit.replaceChildren(...units.map((one) => h("option", { value: one.symbol, selected: one.symbol === entry.unit }, one.name === one.symbol ? one.symbol : `${one.symbol} (${one.name})`)))
      unit.disabled = !units.length
      offer()
    }
    const offer = () => {
      convert.hidden = isNew || !entry.unit || unit.value === entry.unit || known(quantity.value)?.key !== entry.quantity
      convert.textContent = `Convert the value from ${entry.unit} to ${unit.value}`
    }
    const draw_value = () => {
      const kind = type.value
      const old = entry.value
      const common = { class: "field", "data-athena": "metadata-value" }
      value.replaceChildren(kind === "boolean" ? h("select", common, options([["true", "Yes"], ["false", "No"]], String(old)))
        : kind === "date" ? h("input", { ...common, type: "datetime-local", step: 1, value: entry.type === "date" ? local(old) : "" })
        : h("input", { ...common, inputmode: numeric(kind) ? "decimal" : null, value: old ?? "", maxlength: 4000 }))
      measured.hidden = !numeric(kind)
    }
    name.addEventListener("change", () => {
      const used = model.names.find((one) => one.name === name.value)
      if (!isNew || !used) return
      type.value = used.type
      quantity.value = known(used.quantity)?.label ?? ""
      draw_value(); draw_units()
      if (used.unit) unit.value = used.unit
    })
    name.addEventListener("input", () => model.send_msg({ do: "names", text: name.value }))
    type.addEventListener("change", draw_value)
    quantity.addEventListener("input", draw_units)
    unit.addEventListener("change", offer)
    form.onsubmit = (event) => {
      event.preventDefault()
      const kind = type.value
      const told = value.firstChild.value
      const chosen = numeric(kind) ? known(quantity.value) : null
      if (numeric(kind) && quantity.value && !chosen) return complain(`There is no quantity called "${quantity.value}".`)
      if (kind === "date" && !told) return complain("Give a date.")
      model.send_msg({ do: "set", name: name.value, type: kind, quantity: chosen?.key ?? "", unit: chosen ? unit.value : "",
        value: kind === "boolean" ? told === "true" : kind === "date" ? new Date(told).toISOString() : told })
    }
    form.onkeydown = (event) => { if (event.key === "Escape") { event.stopPropagation(); edit(null) } }
    form.replaceChildren(h("strong", {}, isNew ? "New entry" : entry.name), isNew ? labelled("Name", name) : null,
      h("div", { class: "two" }, labelled("Type", type), labelled("Value", value)), measured, convert, problem,
      h("div", { class: "buttons" }, h("button", { class: "action", type: "button", onclick: () => edit(null) }, "Cancel"),
        h("button", { class: "action primary", "data-athena": "metadata-save" }, "Save")))
    // quantities that come after one was typed are known from then on
    form.renew = () => { if (!unit.value) draw_units() }
    form.converted = (answer) => { value.firstChild.value = Number(answer.value.toPrecision(12)); entry = { ...entry, unit: answer.unit }; offer() }
    draw_value(); draw_units()
    requestAnimationFrame(() => (isNew ? name : value.firstChild).focus())
  }

  const local = (iso) => { const at = new Date(iso); return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19) }
  const complain = (text) => { problem.textContent = text; problem.hidden = !text }

  const tools = (entry) => {
    if (!model.may_write || entry.group !== "Custom") return null
    if (removing === entry.name) return h("span", { class: "sure" }, "Remove? ",
      h("button", { class: "link is-error", "data-athena": "metadata-remove-sure", onclick: () => model.send_msg({ do: "remove", name: entry.name }) }, "Remove"), " ",
      h("button", { class: "link", onclick: () => { removing = ""; draw() } }, "Keep"))
    return h("span", { class: "row-tools" },
      h("button", { class: "link", "aria-label": `Edit ${entry.name}`, "data-athena": "metadata-edit", onclick: () => edit(entry) }, "Edit"),
      h("button", { class: "link", "aria-label": `Remove ${entry.name}`, "data-athena": "metadata-remove", onclick: () => { removing = entry.name; draw() } }, "Remove"))
  }

  const draw = () => {
    add.hidden = !model.may_write || editing !== null
    const groups = new Map()
    const typed = words.split(/\s+/).filter(Boolean)
    for (const entry of model.entries) {
      const text = `${entry.group} ${entry.name} ${entry.value} ${entry.unit}`.toLowerCase()
      if (typed.every((word) => text.includes(word))) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry])
    }
    const none = model.waiting ? "" : typed.length ? "Nothing here has these words." : "Nothing is known yet."
    list.replaceChildren(groups.size ? "" : h("p", { class: "muted" }, none),
      ...[...groups].map(([group, entries]) => h("section", {}, h("h2", {}, group || "General"),
        h("dl", {}, entries.map((entry) => h("div", { "data-name": entry.name }, h("dt", { class: "muted" }, entry.name),
          h("dd", {}, shown(entry), entry.unit ? h("span", { class: "muted" }, "\u2009", entry.unit) : "", tools(entry))))))))
  }

  const name = h("input", { class: "field", "aria-label": "Save as", "data-athena": "export-name" })
  const links = FORMATS.map((format) => h("a", { class: "action", download: "", "data-athena": `export-${format}`, onclick: () => { save.open = false } }, format.toUpperCase()))
  const aim = () => links.forEach((link, at) => { link.href = `${model.address}?${new URLSearchParams({ format: FORMATS[at], name: name.value })}` })
  name.addEventListener("input", aim)
  const save = h("details", { class: "export" }, h("summary", { class: "action", "data-athena": "metadata-export" }, "Export"),
    h("div", { class: "form" }, labelled("Save as", name), h("div", { class: "buttons" }, links)))
  const offered = h("datalist", { id: "names" })
  const quantities = h("datalist", { id: "quantities" })
  el.replaceChildren(h("div", { class: "panel" }, h("div", { class: "bar" }, filter, add, save), form, list, offered, quantities))

  live(model, ["file_name", "address"], () => { name.value = model.file_name; aim(); words = filter.value = ""; save.hidden = !model.address; edit(null) })
  live(model, ["names"], () => offered.replaceChildren(...model.names.map((one) => h("option", { value: one.name }))))
  live(model, ["quantities"], () => { quantities.replaceChildren(...model.quantities.map((one) => h("option", { value: one.label }))); form.renew?.() })
  live(model, ["entries", "may_write", "waiting"], draw)
  model.on("problem", () => complain(model.problem))
  model.on("done", () => { edit(null) })
  model.on("converted", () => form.converted?.(model.converted))
}
