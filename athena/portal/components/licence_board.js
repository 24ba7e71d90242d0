export function render({ model, el }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true, "data-athena": "licence-problem" })
  const said = h("p", { class: "is-completed", role: "status", "data-athena": "said" })
  const body = h("div", { class: "board", "data-athena": "licence" })
  const key = h("textarea", { class: "field", rows: 4, required: true, "aria-label": "Licence key", placeholder: "Paste a licence key", spellcheck: "false", "data-athena": "licence-key" })
  const form = h("form", { class: "form", onsubmit: (event) => { event.preventDefault(); model.send_msg({ do: "install", key: key.value }) } },
    h("label", {}, h("span", {}, "New licence key"), key), problem, h("div", { class: "buttons" }, h("button", { class: "action primary", "data-athena": "licence-install" }, "Install")))
  const until = (iso) => iso ? clock(iso) : "no end"
  const row = (one) => h("tr", { "data-athena": "feature", "data-name": one.feature }, h("td", {}, h("strong", {}, one.feature)), h("td", { class: "number" }, one.seats === null ? "no limit" : number.format(one.seats)),
    h("td", { class: "number" }, one.used === null ? "" : number.format(one.used)), h("td", {}, until(one.expires)),
    h("td", { class: one.valid ? "is-completed" : "is-error" }, h("span", { class: "mark", "aria-hidden": "true" }, one.valid ? "●" : "▲"), one.valid ? "Valid" : "Not valid"), h("td", {}, one.message))
  const installed = (one) => h("details", { class: "key" }, h("summary", {}, one.licence ? `${one.licence.customer || "Licence"}, ${one.licence.features.map((feature) => feature.name).join(", ")}` : "A key that cannot be read",
    h("span", { class: "muted" }, " installed by ", one.installed_by, " ", clock(one.installed)), one.problem ? h("span", { class: "is-error" }, ` ${one.problem}`) : null),
    h("pre", { tabindex: "0", "data-athena": "licence-raw" }, `${one.licence ? `${JSON.stringify(one.licence, null, 2)}\n\n` : ""}${one.key}`))
  el.replaceChildren(h("div", { class: "all" }, said, body, form))
  live(model, ["licence"], () => {
    const one = model.licence
    if (!one.platform_id) { body.replaceChildren(); return }
    body.replaceChildren(
      h("div", { class: "topline" }, h("p", {}, h("span", { class: "muted" }, "Platform "), h("code", { "data-athena": "platform-id" }, one.platform_id), " ",
        h("button", { class: "icon-button", title: "Copy", "aria-label": "Copy the platform's id", onclick: () => copy(one.platform_id) }, icon("copy", 16)),
        h("span", { class: "muted" }, one.required ? " Whoever logs in needs a licence." : " No licence is needed to log in.")),
        h("button", { class: "action", "data-athena": "licence-refresh", onclick: () => model.send_msg({ do: "refresh" }) }, "Refresh")),
      one.message ? h("p", { class: "is-warning" }, one.message) : "",
      one.features.length ? h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, [["Feature"], ["Seats", "number"], ["Used", "number"], ["Expires"], ["State"], ["Message"]].map(([head, kind]) => h("th", { scope: "col", class: kind }, head)))),
        h("tbody", {}, one.features.map(row)))) : h("p", { class: "empty muted", "data-athena": "empty" }, one.required ? "No licence key is installed. Ask the vendor for one with the platform's id, and paste it below." : "No licence key is installed, and none is needed."),
      one.licences.length ? h("section", {}, h("h2", {}, "Installed keys"), one.licences.map(installed)) : "")
  })
  live(model, ["said"], () => { said.textContent = model.said; said.hidden = !model.said })
  model.on("done", () => { key.value = "" })
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem })
}
