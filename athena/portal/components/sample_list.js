export function render({ model, el }) {
  let timer = 0
  let sure = ""
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const list = h("div", { class: "samples", "data-athena": "samples" })
  const hits = h("div", { class: "found", role: "listbox", "aria-label": "Samples found", "data-athena": "samples-found" })
  const box = h("input", { class: "field", type: "search", placeholder: "Link a sample …", "aria-label": "Find a sample to link", autocomplete: "off", "data-athena": "sample-find",
    onfocus: () => look(0), oninput: () => look(250) })
  const look = (patience) => { clearTimeout(timer); timer = setTimeout(() => model.send_msg({ do: "find", text: box.value.trim() }), patience) }
  const register = h("button", { class: "action", "data-athena": "sample-register", onclick: () => askDialog(model, el, { label: "Register a sample", action: "Register", fields: SAMPLE_FIELDS(),
    text: "It is linked here at once.", send: (values) => model.send_msg({ do: "register", values }) }) }, "Register…")
  const form = h("div", { class: "form" }, h("div", { class: "line" }, box, register), hits)
  const close = () => { hits.replaceChildren(); box.value = "" }
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); hits.replaceChildren() } })
  const line = (one) => h("article", { "data-athena": "sample", "data-name": one.name },
    h("header", {}, icon("sample", 16), h("a", { class: "to", href: one.search, "data-go": "" }, one.name), h("span", { class: "muted" }, one.type), h("span", { class: "push" }),
      one.above ? h("a", { class: "link", href: one.above, "data-go": "", "data-athena": "sample-above", title: "It is linked to the step that this lies in, and unlinked there" }, one.here ? "also of the step" : "of the step") : null,
      !one.here || !model.may_write ? null : sure === one.id ? h("span", {}, h("button", { class: "link is-error", "data-athena": "sample-unlink-sure", onclick: () => { sure = ""; model.send_msg({ do: "unlink", id: one.id }) } }, "Unlink"), " ",
          h("button", { class: "link", onclick: () => { sure = ""; draw() } }, "Keep"))
        : h("button", { class: "link", "aria-label": `Unlink ${one.name}`, "data-athena": "sample-unlink", onclick: () => { sure = one.id; draw() } }, "Unlink")),
    h("p", { class: "muted" }, samplePlace(one)))
  const draw = () => {
    form.hidden = !model.may_write
    const none = model.waiting ? "" : model.may_write ? "No sample yet. Link what this was made of, and the sample shows what came of it." : "No sample is linked."
    list.replaceChildren(model.samples.length ? "" : h("p", { class: "muted" }, none), ...model.samples.map(line))
  }
  el.replaceChildren(h("div", { class: "panel" }, form, problem, list))
  live(model, ["samples", "may_write", "waiting"], draw)
  live(model, ["element"], close)
  live(model, ["found"], () => {
    const linked = new Set(model.samples.filter((one) => one.here).map((one) => one.id))
    const others = model.found.filter((one) => !linked.has(one.id))
    hits.replaceChildren(others.length || el.getRootNode().activeElement !== box ? "" : h("span", { class: "muted" }, "No other sample is known to you. Register one."), ...others.map((one) => h("button", { role: "option", class: "hit", "data-athena": "sample-hit", "data-name": one.name,
      onclick: () => model.send_msg({ do: "link", id: one.id }) }, h("strong", {}, one.name), h("span", { class: "muted" }, [one.type, one.barcode].filter(Boolean).join(" · ")))))
  })
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem || Boolean(el.querySelector("dialog")) })
  model.on("done", () => { problem.hidden = true; close() })
}
