function shown(fact) {
  if (typeof fact.value === "boolean") return fact.value ? "Yes" : "No"
  if (fact.type === "date") return clock(fact.value)
  if (typeof fact.value === "number" && !Number.isInteger(fact.value)) return String(Number(fact.value.toPrecision(6)))
  return String(fact.value)
}

export function render({ model, el }) {
  live(model, ["facts", "empty"], () => {
    const groups = new Map()
    for (const fact of model.facts) groups.set(fact.group, [...(groups.get(fact.group) ?? []), fact])
    el.replaceChildren(h("div", { class: "groups", "data-athena": "metadata", tabindex: "0", role: "group", "aria-label": "Metadata" },
      model.facts.length ? null : h("p", { class: "muted" }, model.empty),
      [...groups].map(([group, facts]) => h("section", {}, h("h2", {}, group || "General"),
        h("dl", {}, facts.map((fact) => h("div", {}, h("dt", { class: "muted" }, fact.name),
          h("dd", {}, shown(fact), fact.unit ? h("span", { class: "muted" }, fact.unit === "°" ? "" : "\u2009", fact.unit) : ""))))))))
  })
}
