export function render({ model, el }) {
  const host = el.getRootNode().host
  let shown = model.item.id
  const add = (one, at) => h("button", { class: at === model.adds.length - 1 ? "action primary" : "action", "data-athena": `add-${one.what}`,
    onclick: () => model.send_msg({ do: "add", what: one.what }) }, h("span", { class: "plus", "aria-hidden": "true" }, "+"), one.label)
  live(model, ["kind", "title", "status", "about", "item", "adds", "problem"], unlessMenu(el, () => {
    el.replaceChildren(h("header", {},
      h("div", { class: "heading" }, h("span", { class: "muted kind" }, model.kind),
        h("div", { class: "top" }, h("h1", { "data-athena": "title" }, model.title,
          model.status ? h("span", { class: "state" }, mark(model.status), h("span", { class: "muted" }, STATUS[model.status][1])) : null,
          model.item.state === "archived" ? h("span", { class: "state muted" }, icon("archive", 14), " Archived") : null,
          model.item.state === "deleting" ? h("span", { class: "state is-warning" }, "Being deleted") : null),
          actionMenu(model.item, (asked) => model.send_msg(asked), el)),
        model.problem ? h("p", { class: "problem", role: "alert" }, model.problem) : null,
        model.about ? h("p", { class: "muted" }, model.about) : null),
      model.adds.length ? h("div", { class: "adds" }, model.adds.map(add)) : null))
    // another element begins at its top
    if (shown !== model.item.id) { shown = model.item.id; host.scrollIntoView({ block: "nearest" }) }
  }))
}
