const ROLES = [["admin", "opens every element"], ["license-manager", "installs licences, gives seats"], ["user-manager", "adds, changes and removes users"],
  ["customer-role-manager", "gives and takes roles"], ["customer-admin", "all of these"]]
const FROM = { local: "Athena", ldap: "Directory", hub: "Hub" }

export function render({ model, el }) {
  let timer = null
  const send = (does, id, more = {}) => model.send_msg({ do: does, id, ...more })
  const problem = h("p", { class: "problem", role: "alert", hidden: true, "data-athena": "users-problem" })
  const said = h("p", { class: "is-warning", role: "status", "data-athena": "said" })
  const counts = h("div", { class: "facts" })
  const box = h("input", { class: "field", type: "search", placeholder: "Name or e-mail", "aria-label": "Find users", value: model.text, "data-athena": "users-find",
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => model.send_msg({ do: "find", text: box.value.trim() }), 250) } })
  const people = h("datalist", { id: "people" })
  const add = h("button", { class: "action primary", "data-athena": "user-add", onclick: () => askDialog(model, el, { label: "Add user", action: "Add", send: (values) => model.send_msg({ do: "add", values }), fields: [
    { name: "username", label: "User name", required: true, maxlength: 200 },
    { name: "source", label: "The password is checked by", type: "select", value: "local", options: Object.entries(FROM), hint: "Directory and hub know their people's passwords: leave them empty then." },
    { name: "email", label: "E-mail", type: "email", maxlength: 320, list: "people", oninput: (event) => lookUp(event.target) },
    { name: "first_name", label: "First name", maxlength: 100 }, { name: "last_name", label: "Last name", maxlength: 100 },
    { name: "password", label: "Password", type: "password", minlength: 8, autocomplete: "new-password" },
    { name: "again", label: "Password, once more", type: "password", autocomplete: "new-password" }] }) }, "Add user")
  // someone of the directory is completed from the e-mail (AD-07)
  const lookUp = (input) => {
    const form = input.form
    const entry = model.people.find((one) => one.email === input.value)
    if (entry) {
      for (const name of ["username", "first_name", "last_name"]) form.elements[name].value = entry[name]
      form.elements.source.value = "ldap"
    } else if (input.value.trim().length > 1) { clearTimeout(timer); timer = setTimeout(() => model.send_msg({ do: "look-up", text: input.value.trim() }), 250) }
  }
  const table = h("div", { class: "sheet" })
  const edit = (one) => askDialog(model, el, { label: `Edit “${one.username}”`, action: "Save", send: (values) => send("change", one.id, { values }), fields: [
    { name: "email", label: "E-mail", type: "email", value: one.email, maxlength: 320, disabled: one.source === "ldap" }, { name: "first_name", label: "First name", value: one.first_name, maxlength: 100, disabled: one.source === "ldap" },
    { name: "last_name", label: "Last name", value: one.last_name, maxlength: 100, disabled: one.source === "ldap", hint: one.source === "ldap" ? "The directory has these; they are changed there." : "" },
    { name: "active", label: "May log in", type: "checkbox", value: one.active }] })
  const password = (one) => askDialog(model, el, { label: `New password of “${one.username}”`, action: "Set it", text: "The tokens of this person become void.", send: (values) => send("password", one.id, { values }), fields: [
    { name: "password", label: "Password", type: "password", required: true, minlength: 8, autocomplete: "new-password" }, { name: "again", label: "Password, once more", type: "password", required: true, autocomplete: "new-password" }] })
  const remove = (one) => askDialog(model, el, { label: `Remove “${one.username}”`, action: "Remove", danger: true, send: (values) => send("remove", one.id, { values }), fields: [
    { name: "heir", label: "Who gets what nobody else owns", maxlength: 200, placeholder: "User name", hint: "Needed only where there is such a thing." }] })
  const roles = (one) => askDialog(model, el, { label: `Roles of “${one.username}”`, action: "Save", send: (values) => send("roles", one.id, { values }),
    fields: ROLES.filter(([role]) => model.may.roles.includes(role)).map(([role, what]) => ({ name: role, label: `${role}: ${what}`, type: "checkbox", value: one.roles.includes(role) })) })
  const entries = (one) => [
    model.may.manage ? ["edit", "Edit…", () => edit(one)] : null, model.may.roles.length ? ["roles", "Roles…", () => roles(one)] : null,
    model.may.manage && one.source === "local" ? ["password", "Set password…", () => password(one)] : null,
    model.may.manage && !one.builtin ? ["remove", "Remove…", () => remove(one), true] : null].filter(Boolean)
  const row = (one) => h("tr", { "data-athena": "account", "data-name": one.username },
    h("td", {}, h("strong", {}, one.username), one.active ? null : h("span", { class: "is-warning" }, " may not log in"), h("div", { class: "muted" }, one.display_name === one.username ? "" : one.display_name)), h("td", {}, one.email),
    h("td", {}, h("span", { class: "tags" }, [...one.roles].sort().map((role) => h("span", { class: "tag muted" }, role)))),
    h("td", {}, one.builtin ? "Built in" : FROM[one.source]),
    h("td", {}, h("input", { type: "checkbox", role: "switch", "aria-label": `Licence of ${one.username}`, checked: one.licensed, disabled: !model.may.licences || one.builtin, "data-athena": "user-licence",
      onchange: (event) => { const wanted = event.target.checked; event.target.checked = !wanted; send(wanted ? "give-licence" : "take-licence", one.id) } })),
    h("td", {}, one.last_seen ? clock(one.last_seen) : h("span", { class: "muted" }, "never")), h("td", { class: "end" }, entries(one).length ? menuOf(one.username, entries(one)) : null))
  const fact = (name, value) => h("div", { class: "fact" }, h("span", { class: "muted" }, name), h("strong", {}, value))
  el.replaceChildren(h("div", { class: "board", "data-athena": "users" }, counts, h("div", { class: "topline" }, box, add), problem, said, table, people))
  live(model, ["accounts", "counts", "may"], () => {
    const { users, active_users, free_seats, total } = model.counts
    if (users === undefined) return
    add.hidden = !model.may.manage
    counts.replaceChildren(fact("Users", number.format(users)), fact("Activated users", number.format(active_users)), fact("Available licences", free_seats === null ? "no limit" : number.format(free_seats)))
    table.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ["User", "E-mail", "Roles", "Known from", "Licence", "Last seen"].map((head) => h("th", { scope: "col" }, head)), h("td", {}))), h("tbody", {}, model.accounts.map(row))),
      model.accounts.length < total ? h("p", { class: "more muted" }, `${number.format(total - model.accounts.length)} more: narrow the list above.`) : "", model.accounts.length ? "" : h("p", { class: "more muted" }, "Nobody has this in a name or an e-mail address."))
  })
  live(model, ["people"], () => people.replaceChildren(...model.people.map((one) => h("option", { value: one.email }, `${one.first_name} ${one.last_name}${one.known ? " (has an account)" : ""}`))))
  live(model, ["said"], () => { said.textContent = model.said; said.hidden = !model.said })
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem || Boolean(table.getRootNode().querySelector("dialog")) })
}
