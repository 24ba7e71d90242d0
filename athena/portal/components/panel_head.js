const KEPT = "athena-data-panel"
const WIDTHS = [["two-thirds", "Two thirds", 8], ["half", "Half", 12], ["third", "A third", 15], ["none", "Collapse", 20]]

function shape(from) {
  const svg = icon("panel", 18)
  svg.querySelector("path").setAttribute("d", from === 20 ? "m8 6 6 6-6 6M18 5v14" : `M4 5h16v14H4zM${from} 5v14`)
  return svg
}

export function render({ model, el }) {
  const kept = localStorage.getItem(KEPT)
  if (kept && kept !== model.width_name && WIDTHS.some(([name]) => name === kept)) model.width_name = kept
  const choose = (name) => { localStorage.setItem(KEPT, name); model.width_name = name }
  live(model, ["tabs", "width_name"], () => {
    const closed = model.width_name === "none"
    el.replaceChildren(h("div", { class: closed ? "head closed" : "head", "data-athena": "data-panel", "data-width": model.width_name },
      closed ? null : h("nav", { class: "tabs", role: "tablist", "aria-label": "Data panel" }, model.tabs.map((tab) =>
        h("a", { role: "tab", href: tab.search, "data-go": "", "aria-selected": String(tab.chosen), "data-athena": `panel-${tab.name}` }, tab.label))),
      h("div", { class: "widths", role: "group", "aria-label": "Width of the data panel" }, WIDTHS.map(([name, label, from]) =>
        h("button", { class: "icon-button", title: label, "aria-label": `Data panel: ${label}`, "aria-pressed": String(model.width_name === name),
          "data-athena": `panel-width-${name}`, onclick: () => choose(name) }, shape(from))))))
  })
}
