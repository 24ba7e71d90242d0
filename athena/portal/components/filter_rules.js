const SIGNS = { "<": "<", "<=": "≤", ">": ">", ">=": "≥" }
const OPERATORS = [["<=", "at most ≤"], [">=", "at least ≥"], ["<", "below <"], [">", "above >"], ["between", "between"], ["outside", "outside"]]

export function render({ model, el }) {
  let adding = false
  const words = (rule) => [h("strong", {}, rule.label), " ",
    rule.upper ? `${rule.operator} ${rule.value} and ${rule.upper}` : `${SIGNS[rule.operator]} ${rule.value}`,
    rule.unit ? h("span", { class: "muted" }, ` ${rule.unit}`) : null]
  const chip = (rule, at) => h("span", { class: "rule", "data-athena": "rule", "data-metric": rule.metric }, words(rule),
    h("button", { class: "remove", title: "Delete this rule", "aria-label": `Delete the rule on ${rule.label}`, "data-athena": "rule-remove",
      onclick: () => model.send_msg({ do: "remove", at }) }, "×"))
  const form = () => {
    const metric = h("select", { class: "field", "aria-label": "Dimension", "data-athena": "rule-metric" }, model.metrics.map((one) => h("option", { value: one.name }, one.label)))
    const operator = h("select", { class: "field", "aria-label": "Operator", "data-athena": "rule-operator" }, OPERATORS.map(([value, label]) => h("option", { value }, label)))
    const value = h("input", { class: "field number", required: true, inputmode: "decimal", "aria-label": "Value", "data-athena": "rule-value" })
    const upper = h("input", { class: "field number", inputmode: "decimal", "aria-label": "Upper value", "data-athena": "rule-upper" })
    const unit = h("span", { class: "muted" })
    const and = h("span", { class: "muted" }, "and")
    const adapt = () => {
      const two = ["between", "outside"].includes(operator.value)
      upper.hidden = and.hidden = !two
      upper.required = two
      unit.textContent = model.metrics.find((one) => one.name === metric.value)?.unit ?? ""
    }
    metric.addEventListener("change", adapt)
    operator.addEventListener("change", adapt)
    adapt()
    const close = () => { adding = false; draw() }
    const made = h("form", { class: "adding", onkeydown: (event) => { if (event.key === "Escape") close() }, onsubmit: (event) => {
      event.preventDefault()
      model.send_msg({ do: "add", metric: metric.value, operator: operator.value, value: value.value, upper: upper.hidden ? "" : upper.value })
      close()
    } }, metric, operator, value, and, upper, unit,
      h("button", { class: "action primary", "data-athena": "rule-add-go" }, "Add"), h("button", { class: "action", type: "button", onclick: close }, "Cancel"))
    return made
  }
  const draw = () => {
    const open = el.querySelector(".adding") // a rule that is being typed stays while the run grows
    el.replaceChildren(h("div", { class: "rules", "data-athena": "rules" },
      model.rules.map(chip),
      adding ? (open ?? form()) : h("button", { class: "link", "data-athena": "rule-add", onclick: () => { adding = true; draw(); el.querySelector("select").focus() } }, "+ rule"),
      model.rules.length || adding ? null : h("span", { class: "muted" }, "Every micrograph matches. Drag over a chart, or add a rule."),
      model.problem ? h("p", { class: "problem", role: "alert", "data-athena": "rule-problem" }, model.problem) : null))
  }
  live(model, ["rules", "metrics", "problem"], draw)
}
