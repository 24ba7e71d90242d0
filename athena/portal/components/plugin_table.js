const TYPES = { steps: "Pipeline", acquisition: "Acquisition", jobs: "Job kind", warm_up: "Warm-up", metrics: "Metric", viewers: "Viewer", storages: "Storage" }

export function render({ model, el }) {
  live(model, ["plugins"], () => el.replaceChildren(h("div", { class: "board", "data-athena": "plugins" },
    h("p", { class: "muted" }, "Packages add to Athena through entry points; installing one in Athena's Python adds its plugins here after a restart."),
    model.plugins.length ? h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, ["Type", "Name", "Package", "Version", "Where"].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, model.plugins.map((one) => h("tr", { "data-athena": "plugin", "data-name": one.name }, h("td", {}, TYPES[one.type] ?? one.type), h("td", {}, h("strong", {}, one.name)),
        h("td", {}, one.distribution), h("td", {}, one.version), h("td", {}, h("code", {}, one.target))))))) : h("p", { "data-athena": "empty" }, "No plugin is installed."))))
}
