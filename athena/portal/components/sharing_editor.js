const ROLES = [["viewer", "Viewer"], ["collaborator", "Collaborator"], ["owner", "Owner"]]
const PUBLIC = [["", "Private"], ["viewer", "Everybody may read"], ["collaborator", "Everybody may read and write"]]
const options = (pairs, chosen) => pairs.map(([value, label]) => h("option", { value, selected: value === chosen }, label))

export function render({ model, el }) {
  let sure = "" // what waits for a second word: the key of a person, or "inherit"
  let adding = false // whether the form's own wish is on its way
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const body = h("div", { class: "body" })
  const found = h("datalist", { id: "found" })
  const name = h("input", { class: "field", list: "found", placeholder: "User or group", "aria-label": "User or group", autocomplete: "off", "data-athena": "share-name",
    oninput: () => { if (name.value.trim()) model.send_msg({ do: "find", text: name.value.trim() }) } })
  const role = h("select", { class: "field", "aria-label": "Role", "data-athena": "share-role" }, options(ROLES, "viewer"))
  const form = h("form", { class: "form", "data-athena": "share-form", onsubmit: (event) => {
    event.preventDefault()
    const typed = name.value.trim()
    const group = typed.match(/^(.*) \(group\)$/)
    adding = Boolean(typed)
    if (typed) model.send_msg({ do: "grant", kind: group ? "group" : "user", name: group ? group[1] : typed, role: role.value })
  } }, h("strong", {}, "Share with"), h("div", { class: "bar" }, name, role, h("button", { class: "action primary", "data-athena": "share-add" }, "Add")))

  const key = (grant) => `${grant.grantee.kind}:${grant.grantee.name}`
  const ask = (grant, wanted) => model.send_msg({ do: "grant", kind: grant.grantee.kind, name: grant.grantee.name, role: wanted })
  const person = (grant, editable) => h("div", { class: "person", "data-athena": "grant", "data-name": grant.grantee.name, "data-role": grant.role },
    icon("user"), h("span", { class: "who" }, grant.grantee.label || grant.grantee.name,
      grant.grantee.kind === "group" ? h("span", { class: "muted" }, " group") : grant.grantee.label ? h("span", { class: "muted" }, ` ${grant.grantee.name}`) : null),
    !editable ? h("span", { class: "muted" }, Object.fromEntries(ROLES)[grant.role])
    : sure === key(grant) ? h("span", {}, "Remove? ", h("button", { class: "link is-error", "data-athena": "grant-remove-sure", onclick: () => { sure = ""; ask(grant, null) } }, "Remove"), " ",
        h("button", { class: "link", onclick: () => { sure = ""; draw() } }, "Keep"))
    : h("span", { class: "bar" }, h("select", { class: "field", "aria-label": `Role of ${grant.grantee.name}`, "data-athena": "grant-role", onchange: (event) => ask(grant, event.target.value) }, options(ROLES, grant.role)),
        h("button", { class: "link", "aria-label": `Remove ${grant.grantee.name}`, "data-athena": "grant-remove", onclick: () => { sure = key(grant); draw() } }, "Remove")))

  const draw = () => {
    const p = model.permissions
    if (!p.grants) { body.replaceChildren(h("p", { class: "muted" }, "")); form.hidden = true; return }
    const others = p.grants.filter((grant) => grant.role !== "owner")
    form.hidden = !p.may_edit
    body.replaceChildren(
      h("p", { class: "muted from", "data-athena": "share-source" }, p.inherits ? ["As set on ", h("a", { class: "to", href: p.source_search, "data-go": "" }, p.source_label),
        p.may_edit ? ". A change here ends that for this element and what is below it." : "."] : "Set here; what is below follows, unless it has its own."),
      h("label", { class: "public" }, h("span", { class: "muted" }, "Visible to"), p.may_edit
        ? h("select", { class: "field", "data-athena": "share-public", onchange: (event) => model.send_msg({ do: "public", role: event.target.value || null }) }, options(PUBLIC, p.public ?? ""))
        : h("span", { "data-athena": "share-public" }, Object.fromEntries(PUBLIC)[p.public ?? ""])),
      h("section", {}, h("h2", {}, "Owners"), p.grants.filter((grant) => grant.role === "owner").map((grant) => person(grant, p.may_edit))),
      h("section", {}, h("h2", {}, "Viewers and collaborators"), others.length ? others.map((grant) => person(grant, p.may_edit)) : h("p", { class: "muted" }, p.public ? "Everybody, as said above." : "Nobody else.")),
      p.may_edit && !p.inherits && model.above ? h("div", {}, sure === "inherit"
        ? h("span", {}, "Give up the permissions set here? ", h("button", { class: "link is-error", "data-athena": "share-inherit-sure", onclick: () => { sure = ""; model.send_msg({ do: "inherit" }) } }, "Inherit again"), " ",
          h("button", { class: "link", onclick: () => { sure = ""; draw() } }, "Keep"))
        : h("button", { class: "action", "data-athena": "share-inherit", onclick: () => { sure = "inherit"; draw() } }, "Inherit again")) : "")
  }
  el.replaceChildren(h("div", { class: "panel", "data-athena": "sharing" }, form, problem, body, found))
  live(model, ["permissions", "above"], draw)
  live(model, ["found"], () => found.replaceChildren(...model.found.map((one) => h("option", { value: one.kind === "group" ? `${one.name} (group)` : one.name }, one.label))))
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem; draw() })
  model.on("done", () => { if (adding) { adding = false; name.value = "" } })
}
