export function render({ model, el }) {
  const open = () => {
    const said = h("span", { class: "muted", role: "status" })
    const address = URL.createObjectURL(new Blob([model.notebook], { type: "application/x-ipynb+json" }))
    const dialog = h("dialog", { class: "dialog", "aria-label": "Open as notebook", "data-athena": "recipe-dialog", onclose: () => { URL.revokeObjectURL(address); dialog.remove() } },
      h("form", { method: "dialog" }, h("h2", {}, "Open as notebook"),
        h("p", { class: "muted" }, "These lines show in JupyterLab what this page shows."),
        h("pre", { tabindex: "0", "data-athena": "recipe" }, model.code),
        h("div", { class: "buttons" }, said, h("span", { class: "push" }), h("button", { class: "action" }, "Close"),
          model.lab ? h("a", { class: "action", href: model.lab, target: "_blank", rel: "noopener", title: "Keeps it in the folder Athena of your JupyterLab and opens it there", "data-athena": "recipe-lab" }, "Open in JupyterLab") : null,
          h("a", { class: "action", href: address, download: `${model.name_of_file}.ipynb`, "data-athena": "recipe-save" }, "Save as notebook"),
          h("button", { type: "button", class: "action primary", "data-athena": "recipe-copy", onclick: async () => {
            await copy(model.code)
            said.textContent = "Copied"
          } }, "Copy"))))
    el.append(dialog)
    dialog.showModal()
  }
  live(model, ["code", "notebook", "lab"], () => el.replaceChildren(model.code
    ? h("button", { class: "icon-button open", title: "Open as notebook", "aria-label": "Open as notebook", "data-athena": "open-recipe", onclick: open }, icon("code", 20)) : ""))
}
