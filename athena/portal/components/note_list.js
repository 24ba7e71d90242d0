const changed = (note) => new Date(note.updated) - new Date(note.created) > 1000

export function render({ model, el }) {
  let editing = null // null: the form writes a new note; else the note
  let removing = ""
  let links = []
  const text = h("textarea", { class: "field", rows: 4, maxlength: 20000, placeholder: "Write a note. Markdown is understood.", "aria-label": "Note", "data-athena": "note-text" })
  const link = h("input", { class: "field", placeholder: "Link: https://…", title: "On the web, or the address of an Athena page", "aria-label": "Link", "data-athena": "note-link" })
  const chips = h("div", { class: "chips" })
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const save = h("button", { class: "action primary", "data-athena": "note-save" }, "Add note")
  const cancel = h("button", { class: "action", type: "button", hidden: true, onclick: () => edit(null) }, "Cancel")
  const list = h("div", { class: "notes", "data-athena": "notes" })
  const add_link = () => {
    const address = link.value.trim()
    if (!address) return
    const element = new URLSearchParams(address.split("?")[1] ?? "").get("e")
    links.push(element && /^[0-9a-f-]{36}$/i.test(element) ? { element_id: element, title: "" } : { url: address, title: "" })
    link.value = ""
    draw_links()
  }
  const draw_links = () => chips.replaceChildren(...links.map((one, at) => h("span", { class: "chip" }, one.title || one.url || "Element in Athena", " ",
    h("button", { type: "button", "aria-label": "Leave out this link", onclick: () => { links.splice(at, 1); draw_links() } }, "×"))))
  const form = h("form", { class: "form", "data-athena": "note-form", onsubmit: (event) => {
    event.preventDefault()
    add_link()
    if (!text.value.trim()) { complain("Write something."); return }
    model.send_msg(editing ? { do: "change", id: editing.id, text: text.value, links } : { do: "add", text: text.value, links })
  }, onkeydown: (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit() }
    if (event.key === "Escape" && editing) { event.stopPropagation(); edit(null) }
  } }, text, h("div", { class: "bar" }, link, h("button", { class: "action", type: "button", onclick: add_link }, "Add link")), chips, problem,
    h("div", { class: "buttons" }, h("span", { class: "muted hint" }, "Ctrl Enter saves"), cancel, save))
  const complain = (words) => { problem.textContent = words; problem.hidden = !words }
  const edit = (note) => {
    editing = note
    removing = ""
    links = note ? note.links.filter((one) => !one.hidden).map((one) => ({ element_id: one.element_id, url: one.url, title: one.title })) : []
    text.value = note ? note.text : ""
    link.value = ""
    save.textContent = note ? "Save" : "Add note"
    cancel.hidden = !note
    complain("")
    draw_links()
    draw()
    if (note) text.focus()
  }
  const shown_link = (one) => one.hidden ? h("span", { class: "muted" }, "(an element that you may not see)")
    : one.element_id ? h("a", { class: "to", href: `?e=${one.element_id}`, "data-go": "" }, one.title || "Element")
    : h("a", { class: "to", href: one.url, target: "_blank", rel: "noopener noreferrer" }, one.title || one.url)
  const draw = () => {
    form.hidden = !model.may_write
    const none = model.waiting ? "" : model.may_write ? "No note yet. What should the next one at this microscope know?" : "No note yet."
    list.replaceChildren(model.notes.length ? "" : h("p", { class: "muted" }, none), ...model.notes.map((note) => h("article", { "data-athena": "note" },
      h("header", {}, h("strong", {}, note.author), h("span", { class: "muted" }, clock(note.created), ...(changed(note) ? [", changed ", clock(note.updated)] : [])),
        h("span", { class: "push" }),
        !note.editable ? null : removing === note.id ? h("span", {}, "Delete this note? ",
          h("button", { class: "link is-error", "data-athena": "note-delete-sure", onclick: () => model.send_msg({ do: "delete", id: note.id }) }, "Delete"), " ",
          h("button", { class: "link", onclick: () => { removing = ""; draw() } }, "Keep"))
        : h("span", { class: "row-tools" }, h("button", { class: "link", "data-athena": "note-edit", onclick: () => edit(note) }, "Edit"),
          h("button", { class: "link", "data-athena": "note-delete", onclick: () => { removing = note.id; draw() } }, "Delete"))),
      h("div", { class: "text", html: note.html }),
      note.links.length ? h("div", { class: "chips" }, note.links.map(shown_link)) : null)))
  }
  el.replaceChildren(h("div", { class: "panel" }, form, list))
  live(model, ["element"], () => edit(null))
  live(model, ["notes", "may_write", "waiting"], draw)
  model.on("problem", () => complain(model.problem))
  model.on("done", () => edit(null))
}
