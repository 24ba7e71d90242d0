export function render({ model, el }) {
  live(model, ["sentence", "command", "action"], () => {
    el.replaceChildren(h("div", { class: "empty", "data-athena": "empty" }, h("p", {}, model.sentence),
      model.command ? h("p", { class: "command" }, h("code", {}, model.command),
        h("button", { class: "icon-button", title: "Copy", "aria-label": "Copy the command",
          onclick: () => copy(model.command) }, icon("copy", 16))) : null,
      model.action ? h("p", { class: "start" }, h("button", { class: "action primary", "data-athena": "empty-start", onclick: () => model.send_msg({ do: "start" }) }, model.action)) : null))
  })
}
