const SCOPES = [["read", "Read: changes nothing"], ["write", "Write: changes what you may change"], ["admin", "Everything you may do, with your platform roles"]]
const LASTS = [["7", "a week"], ["30", "30 days"], ["90", "90 days"], ["365", "a year"], ["", "until it is revoked"]]

export function render({ model, el }) {
  let sure = "" // the token whose end waits for a second word
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const body = h("div", { class: "board", "data-athena": "profile" })
  const create = () => askDialog(model, el, { label: "New token", action: "Make token", send: (values) => model.send_msg({ do: "create", values }),
    text: "A token lets a script or notebook elsewhere act as you. Give it no more than it needs.", fields: [
      { name: "name", label: "What it is for", required: true, maxlength: 100, placeholder: "Nightly export" },
      { name: "scope", label: "It may", type: "select", value: "read", options: SCOPES },
      { name: "days", label: "It lasts", type: "select", value: "90", options: LASTS }] })
  const password = () => askDialog(model, el, { label: "Change password", action: "Change it", send: (values) => model.send_msg({ do: "password", values }), fields: [
    { name: "current", label: "Current password", type: "password", required: true, autocomplete: "current-password" },
    { name: "password", label: "New password", type: "password", required: true, minlength: 8, autocomplete: "new-password" },
    { name: "again", label: "New password, once more", type: "password", required: true, autocomplete: "new-password" }] })
  const made = () => h("section", { class: "made", "data-athena": "token-made" }, h("h2", {}, `The text of “${model.made.name}”`),
    h("p", {}, "Copy it now: it is shown this once, and kept nowhere."),
    h("div", { class: "row" }, h("code", { "data-athena": "token-text" }, model.made.text),
      h("button", { class: "action", "data-athena": "token-copy", onclick: (event) => { copy(model.made.text); event.currentTarget.textContent = "Copied" } }, "Copy"),
      h("button", { class: "action", "data-athena": "token-forget", onclick: () => model.send_msg({ do: "forget" }) }, "Done")))
  const line = (token) => h("tr", { "data-athena": "token", "data-name": token.name },
    h("td", {}, h("strong", {}, token.name), " ", h("span", { class: "muted" }, `${token.start}…`)), h("td", {}, token.scope), h("td", {}, clock(token.created)),
    h("td", {}, token.expires ? clock(token.expires) : "when revoked", token.expired ? h("span", { class: "is-warning" }, " expired") : null), h("td", {}, token.last_used ? clock(token.last_used) : h("span", { class: "muted" }, "never")),
    h("td", { class: "end" }, sure === token.id
      ? h("span", {}, "Scripts that use it stop working. ", h("button", { class: "link is-error", "data-athena": "token-revoke-sure", onclick: () => { sure = ""; model.send_msg({ do: "revoke", id: token.id }) } }, "Revoke it"), " ",
          h("button", { class: "link", onclick: () => { sure = ""; draw() } }, "Keep"))
      : h("button", { class: "link", "aria-label": `Revoke ${token.name}`, "data-athena": "token-revoke", onclick: () => { sure = token.id; draw() } }, "Revoke")))
  const draw = () => body.replaceChildren(
    h("section", {}, h("div", { class: "topline" }, h("p", {}, h("strong", {}, model.user.name), h("span", { class: "muted" }, model.user.name === model.user.username ? ", here since " : ` ${model.user.username}, here since `), clock(model.user.created)),
      h("button", { class: "action", "data-athena": "password", onclick: password }, "Change password")),
      model.user.roles?.length ? h("p", { class: "tags" }, model.user.roles.map((role) => h("span", { class: "tag muted" }, role))) : ""),
    model.made.text ? made() : "",
    h("section", {}, h("div", { class: "topline" }, h("h2", {}, "Tokens"), h("button", { class: "action primary", "data-athena": "token-new", onclick: create }, "New token")),
      model.tokens.length ? h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, ["Name", "It may", "Made", "Lasts until", "Last used"].map((head) => h("th", { scope: "col" }, head)), h("td", {}))),
        h("tbody", {}, model.tokens.map(line)))) : h("p", { class: "empty muted", "data-athena": "empty" }, "No token. A token lets a script or notebook elsewhere act as you.")))
  el.replaceChildren(problem, body)
  live(model, ["user", "tokens", "made"], draw)
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem || Boolean(body.parentNode.querySelector("dialog")) })
}
