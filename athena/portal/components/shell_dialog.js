// where a tree's element may be put: {kinds, types, within, not, shut}
function mayHold(tree, item, level) {
  if (tree.not.includes(item.id) || !tree.kinds.includes(item.kind)) return false
  return (!tree.types.length || tree.types.includes(item.type)) && (!tree.within || level === tree.within)
}

export function render({ model, el }) {
  el.style.display = "contents"
  let shown = null // {number, dialog, tree, …}

  function place(tree) {
    let chosen = null
    const said = h("p", { class: "muted", "data-athena": "dialog-target" }, "Nothing is chosen yet.")
    const top = tree.root ? h("button", { type: "button", class: "action top", "data-athena": "dialog-top", "aria-pressed": "false", onclick: () => choose({ id: "", name: "the top of the workspace" }) }, icon("home", 16), "Top of the workspace") : null
    const view = elementTree({ label: "Where to", name: "target", shut: tree.shut, unfolds: tree.unfolds, ask: (asked) => model.send_msg(asked), may: (item, level) => mayHold(tree, item, level),
      choose: (item) => { view.point(item.id); choose(item) } })
    const choose = (item) => {
      chosen = item
      if (!item.id) view.point("")
      top?.setAttribute("aria-pressed", String(!item.id))
      said.replaceChildren("To: ", h("strong", {}, item.name))
      shown.check()
    }
    return { nodes: [top, view.el, said], view, value: () => chosen?.id, start: () => { if (tree.way.length) view.reveal(tree.way, { unfold: true, point: false }) } }
  }

  // one of several things that were, newest first: {value, label, by, time, lines, now, off}
  function versionsOf({ name, items }, chooses) {
    let chosen
    const line = (item) => h("label", { class: "choice", "data-athena": "dialog-choice", "data-value": item.value, "data-now": item.now },
      chooses ? h("input", { type: "radio", name, value: item.value, disabled: item.off, onchange: () => { chosen = item.value; shown.check() } }) : null,
      h("span", { class: "head" }, h("strong", {}, item.label), item.now ? h("span", { class: "now" }, "now") : null,
        h("span", { class: "muted" }, item.by ? `${item.by} · ` : "", clock(item.time))),
      h("span", { class: "muted what" }, item.lines.join("; ")))
    const list = h("div", { class: "choices", role: chooses ? "radiogroup" : "group", tabIndex: 0, "aria-label": "Versions" }, items.map(line))
    return { nodes: [list], value: () => chosen, name }
  }

  function build(form) {
    const inputs = (form.fields ?? []).map((field) => inputOf(field))
    const target = form.tree ? place(form.tree) : null
    const choices = form.choices ? versionsOf(form.choices, Boolean(form.action)) : null
    const typed = form.typed ? h("input", { class: "field", placeholder: form.typed, autocomplete: "off", "aria-label": "Type it to confirm", "data-athena": "dialog-typed", oninput: () => shown.check() }) : null
    const problem = h("p", { class: "problem", role: "alert", hidden: true })
    const go = h("button", { class: form.danger ? "action danger" : "action primary", "data-athena": "dialog-go", hidden: !form.action }, form.action)
    const values = () => ({ ...Object.fromEntries(inputs.filter((input) => !input.disabled).map((input) => [input.name, input.type === "checkbox" ? input.checked : input.value])),
      ...(target ? { target: target.value() } : {}), ...(choices ? { [choices.name]: choices.value() } : {}) })
    const lacks = () => form.waiting || !form.action || (choices && choices.value() === undefined) || (target && target.value() === undefined) || (typed && typed.value.trim() !== form.typed)
    const body = h("form", { onsubmit: (event) => { event.preventDefault(); if (lacks()) return; go.disabled = true; problem.hidden = true; model.send_msg({ do: "submit", number: form.number, values: values() }) } },
      h("h2", {}, form.label), form.text ? h("p", { class: form.danger ? "" : "muted" }, form.text) : null,
      form.waiting ? h("p", { class: "muted", "data-athena": "dialog-waiting" }, form.waiting) : null,
      (form.lines ?? []).length ? h("ul", { class: "names" }, form.lines.map((line) => h("li", {}, line))) : null,
      (form.fields ?? []).map((field, index) => fieldLabel(field, inputs[index])), target?.nodes ?? null, choices?.nodes ?? null,
      typed ? h("label", {}, h("span", {}, `Type “${form.typed}” to confirm`), typed) : null,
      (form.links ?? []).length ? h("p", { class: "muted" }, `${form.links_said} `, ...form.links.flatMap((link, index) => [index ? " · " : "", h("a", { class: "link", href: link.href, download: true }, link.label)])) : null,
      problem, h("div", { class: "buttons" }, h("button", { type: "button", class: "action", "data-athena": "dialog-cancel", onclick: () => shown.dialog.close() }, form.action ? "Cancel" : "Close"), go))
    return { body, target, check: () => { go.disabled = Boolean(lacks()) }, first: inputs.find((input) => !input.disabled) ?? typed,
      refuse: (reason) => { problem.textContent = reason; problem.hidden = !reason; go.disabled = Boolean(lacks()) } }
  }

  function shut() {
    const { dialog, target } = shown
    shown = null
    target?.view.end()
    dialog.close()
    dialog.remove()
  }

  function show() {
    const form = model.form
    if (shown && shown.number !== form.number) shut()
    if (!form.number) return
    const part = build(form)
    if (shown) shown.target?.view.end()
    const fresh = !shown
    if (fresh) {
      const dialog = h("dialog", { class: "dialog", "data-athena": "dialog", onclose: () => {
        if (shown?.dialog !== dialog) return
        const { number } = shown
        shut()
        model.send_msg({ do: "closed", number })
      } })
      shown = { dialog, number: form.number }
    }
    Object.assign(shown, part)
    shown.dialog.setAttribute("aria-label", form.label)
    shown.dialog.classList.toggle("has-tree", Boolean(form.tree))
    shown.dialog.replaceChildren(part.body)
    part.check()
    if (fresh) { el.append(shown.dialog); shown.dialog.showModal() }
    part.target?.start()
    part.first?.focus()
  }
  model.on("form", show)
  model.on("answer", () => shown?.refuse(model.answer.problem))
  // each page counts: none of them may wait for the next frame
  model.on("page", () => shown?.target?.view.take(model.page))
  if (model.form.number) show()
}
