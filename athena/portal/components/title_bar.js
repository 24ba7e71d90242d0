export function render({ model, el }) {
  live(model, ["kind", "title", "status", "about", "item", "problem"], () => {
    el.replaceChildren(h("header", {},
      h("span", { class: "muted kind" }, model.kind),
      h("div", { class: "top" }, h("h1", { "data-athena": "title" }, model.title,
        model.status ? h("span", { class: "state" }, mark(model.status), h("span", { class: "muted" }, STATUS[model.status][1])) : null,
        model.item.state === "archived" ? h("span", { class: "state muted" }, icon("archive", 14), " Archived") : null,
        model.item.state === "deleting" ? h("span", { class: "state is-warning" }, "Being deleted") : null),
        actionMenu(model.item, (asked) => model.send_msg(asked), el)),
      model.problem ? h("p", { class: "problem", role: "alert" }, model.problem) : null,
      model.about ? h("p", { class: "muted" }, model.about) : null))
  })
}
