export function render({ model, el }) {
  live(model, ["kind", "title", "status", "about"], () => {
    el.replaceChildren(h("header", {},
      h("span", { class: "muted kind" }, model.kind),
      h("h1", { "data-athena": "title" }, model.title,
        model.status ? h("span", { class: "state" }, mark(model.status), h("span", { class: "muted" }, STATUS[model.status][1])) : null),
      model.about ? h("p", { class: "muted" }, model.about) : null))
  })
}
