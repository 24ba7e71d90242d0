export function render({ model, el }) {
  let timer = 0
  const problem = h("p", { class: "problem", role: "alert", hidden: true, "data-athena": "samples-problem" })
  const box = h("input", { class: "field", type: "search", placeholder: "Name, type or barcode", "aria-label": "Find samples", value: model.text, "data-athena": "samples-find",
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => model.send_msg({ do: "look", text: box.value.trim() }), 250) } })
  const register = h("button", { class: "action primary", "data-athena": "sample-register", onclick: () => askDialog(model, el, { label: "Register a sample", action: "Register", fields: SAMPLE_FIELDS(),
    text: "You alone see it until it is linked to a step or dataset; then whoever sees that does.", send: (values) => model.send_msg({ do: "register", values }) }) }, "Register sample")
  const table = h("div", {})
  const list = h("div", { class: "board", "data-athena": "samples" }, h("div", { class: "topline" }, box, register), table)
  const one = h("div", { class: "board", "data-athena": "sample" })
  const row = (sample) => h("tr", { "data-athena": "sample-row", "data-name": sample.name },
    h("td", {}, h("a", { class: "to", href: sample.search, "data-go": "" }, sample.name)), h("td", {}, sample.type), h("td", {}, sample.barcode), h("td", {}, sample.cassette),
    h("td", {}, sample.slot ?? ""), h("td", {}, number.format(sample.linked)), h("td", { class: "muted" }, sample.creator), h("td", { class: "muted" }, clock(sample.updated)))
  const drawList = () => {
    const none = model.text ? "No sample that you may see has this in its name, type or barcode." : "No sample yet. Register sample makes the first one; steps and datasets are linked to it in their data panel."
    table.replaceChildren(model.samples.length ? h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, ["Sample", "Type", "Barcode", "Cassette", "Slot", "Linked", "Registered by", "Changed"].map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, model.samples.map(row))))
      : h("p", { class: "empty muted", "data-athena": "empty" }, none),
      model.samples.length < model.total ? h("p", { class: "muted" }, `${number.format(model.total - model.samples.length)} more: narrow the list above.`) : "")
  }
  const edit = () => askDialog(model, el, { label: `Edit “${model.sample.name}”`, action: "Save", fields: SAMPLE_FIELDS(model.sample), send: (values) => model.send_msg({ do: "change", values }) })
  const remove = () => askDialog(model, el, { label: `Delete “${model.sample.name}”`, action: "Delete", danger: true, text: "Its metadata go with it. This cannot be undone. What is linked to it has to be unlinked first.", send: () => model.send_msg({ do: "delete" }) })
  const product = (item) => h("div", { role: "listitem", class: "line", "data-athena": "product", "data-name": item.name },
    h("a", { class: "hit", href: item.search, "data-go": "" }, h("span", { class: "glyph" }, icon(item.kind)),
      h("span", { class: "what" }, h("span", { class: "name" }, item.name), h("span", { class: "muted way" }, item.type, item.way.length ? ` in ${item.way.map((step) => step.name).join(" › ")}` : "")),
      item.status ? mark(item.status) : h("span"), h("span", { class: "muted" }, clock(item.updated))))
  const drawOne = () => {
    const sample = model.sample
    const fact = (name, value) => value === "" || value === null ? null : h("div", { class: "fact" }, h("span", { class: "muted" }, name), h("strong", {}, String(value)))
    one.replaceChildren(
      h("div", { class: "topline" }, h("a", { class: "link", href: "?p=samples", "data-go": "", "data-athena": "samples-back" }, "All samples"), h("span", { class: "push" }),
        sample.editable ? h("button", { class: "action", "data-athena": "sample-edit", onclick: edit }, "Edit") : null,
        sample.mine ? h("button", { class: "action danger", "data-athena": "sample-delete", onclick: remove }, "Delete") : null),
      h("h2", { "data-athena": "sample-name" }, icon("sample", 20), " ", sample.name),
      h("div", { class: "facts" }, fact("Type", sample.type), fact("Barcode", sample.barcode), fact("Cassette", sample.cassette), fact("Slot", sample.slot), fact("Registered by", sample.creator)),
      sample.description ? h("p", { class: "about" }, sample.description) : "",
      h("h3", {}, "What came of it"),
      model.products.length ? h("div", { class: "sheet", role: "list", "data-athena": "products" }, model.products.map(product)) : h("p", { class: "empty muted", "data-athena": "empty" }, "Nothing yet. Open a step or dataset, and link this sample in its data panel under Samples."),
      h("h3", {}, "Metadata"))
  }
  el.replaceChildren(problem, list, one)
  live(model, ["samples", "total", "sample", "products", "text"], () => {
    list.hidden = Boolean(model.sample.id)
    one.hidden = !list.hidden
    if (list.hidden) drawOne()
    else drawList()
    // what is being typed is newer than what was answered
    if (el.getRootNode().activeElement !== box) box.value = model.text
  })
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem || Boolean(el.querySelector("dialog")) })
}
