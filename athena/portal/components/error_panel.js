export function render({ model, el }) {
  live(model, ["title", "message", "hint"], () => {
    const details = [model.title, model.message, model.hint, location.href, new Date().toISOString()].filter(Boolean).join("\n")
    el.replaceChildren(h("section", { class: "panel", role: "alert", "data-athena": "error" },
      h("span", { class: "sign is-warning" }, icon("warning", 28)),
      h("h1", {}, model.title), h("p", {}, model.message), model.hint ? h("p", { class: "muted" }, model.hint) : null,
      h("div", { class: "actions" },
        h("a", { class: "action", href: "?", "data-go": "" }, icon("home", 16), "Home"),
        h("button", { class: "action", onclick: () => location.reload() }, "Try again"),
        h("button", { class: "action", onclick: (event) => { copy(details); event.currentTarget.lastChild.textContent = "Copied" } },
          icon("copy", 16), h("span", {}, "Copy details")))))
  })
}
