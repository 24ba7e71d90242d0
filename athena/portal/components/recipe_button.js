// a notebook is made here: no request, nothing kept
function notebook(code) {
  const [needed, shown] = code.split("\n\na = ")
  const lines = `a = ${shown}`.split("\n")
  const source = [`${needed}\n`, ...lines]
  const cell = (text) => ({ cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: text })
  // what is assigned stands with the imports; each thing to look at has a cell of its own
  const assigned = source.filter((line) => /^(import|from|\w+ = )/.test(line)).join("\n")
  const looks = lines.filter((line) => !/^\w+ = /.test(line))
  const kernel = { display_name: "Python 3", language: "python", name: "python3" }
  return JSON.stringify({ cells: [cell(assigned), ...looks.map(cell)], metadata: { kernelspec: kernel, language_info: { name: "python" } }, nbformat: 4, nbformat_minor: 4 }, null, 1)
}

export function render({ model, el }) {
  const open = () => {
    const said = h("span", { class: "muted", role: "status" })
    const address = URL.createObjectURL(new Blob([notebook(model.code)], { type: "application/x-ipynb+json" }))
    const dialog = h("dialog", { class: "dialog", "aria-label": "Open as notebook", "data-athena": "recipe-dialog", onclose: () => { URL.revokeObjectURL(address); dialog.remove() } },
      h("form", { method: "dialog" }, h("h2", {}, "Open as notebook"),
        h("p", { class: "muted" }, "These lines show in JupyterLab what this page shows."),
        h("pre", { tabindex: "0", "data-athena": "recipe" }, model.code),
        h("div", { class: "buttons" }, said, h("span", { class: "push" }), h("button", { class: "action" }, "Close"),
          h("a", { class: "action", href: address, download: `${model.name_of_file}.ipynb`, "data-athena": "recipe-save" }, "Save as notebook"),
          h("button", { type: "button", class: "action primary", "data-athena": "recipe-copy", onclick: async () => {
            await copy(model.code)
            said.textContent = "Copied"
          } }, "Copy"))))
    el.append(dialog)
    dialog.showModal()
  }
  live(model, ["code"], () => el.replaceChildren(model.code
    ? h("button", { class: "icon-button open", title: "Open as notebook", "aria-label": "Open as notebook", "data-athena": "open-recipe", onclick: open }, icon("code", 20)) : ""))
}
