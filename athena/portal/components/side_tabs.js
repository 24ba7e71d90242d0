export function render({ model, el }) {
  live(model, ["tabs"], () => {
    el.replaceChildren(h("nav", { class: "tabs", role: "tablist" }, model.tabs.map((tab) =>
      h("a", { role: "tab", href: tab.search, "data-go": "", "aria-selected": String(tab.chosen), "data-athena": `tab-${tab.name}` }, tab.label))))
  })
}
