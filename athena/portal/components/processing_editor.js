const OPERATORS = [["<=", "≤"], ["<", "<"], [">=", "≥"], [">", ">"], ["between", "between"], ["outside", "outside"]]
const TWO = ["between", "outside"]
const pick = (pairs, chosen, more) => h("select", { class: "field", ...more }, pairs.map(([value, label]) => h("option", { value, selected: value === chosen }, label)))

export function render({ model, el }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true, "data-athena": "processing-problem" })
  const said = h("p", { class: "is-completed", role: "status", hidden: true }, "Done.")
  const [failed, criteria, parameters] = ["failed", "criteria", "parameters"].map((name) => h("section", { "data-athena": `processing-${name}` }))
  let rules = []

  const drawFailed = () => failed.replaceChildren(h("h2", {}, "Failed acquisitions"),
    model.failed ? h("p", {}, `${model.failed} could not be processed. Once what was in their way is gone, try them again. `)
      : h("p", { class: "muted" }, "None."),
    model.failed && model.may_write ? h("button", { class: "action", "data-athena": "retry-failed", onclick: () => model.send_msg({ do: "retry" }) }, `Try ${model.failed} again`) : "")

  const row = (rule, i) => {
    const unit = model.metrics.find((metric) => metric.name === rule.metric)?.unit ?? ""
    const bound = (name, label) => h("input", { class: "field number", type: "number", step: "any", required: true, value: rule[name] ?? "", "aria-label": label, "data-athena": `rule-${name}`,
      oninput: (event) => { rule[name] = event.target.value === "" ? null : Number(event.target.value) } })
    return h("div", { class: "rule", "data-athena": "rule" },
      pick(model.metrics.map((metric) => [metric.name, metric.label]), rule.metric, { "aria-label": "Metric", "data-athena": "rule-metric", onchange: (event) => { rule.metric = event.target.value; drawCriteria() } }),
      pick(OPERATORS, rule.operator, { "aria-label": "Comparison", "data-athena": "rule-operator", onchange: (event) => { rule.operator = event.target.value; rule.upper = TWO.includes(rule.operator) ? rule.upper ?? rule.value : null; drawCriteria() } }),
      bound("value", "Value"), TWO.includes(rule.operator) ? ["and", bound("upper", "Upper value")] : "", h("span", { class: "muted unit" }, unit),
      !model.may_write ? "" : h("button", { type: "button", class: "link", "data-athena": "rule-remove", "aria-label": "Remove rule", onclick: () => { rules.splice(i, 1); drawCriteria() } }, "Remove"))
  }
  const drawCriteria = () => {
    const c = model.criteria
    if (!c.rules) { criteria.replaceChildren(); return }
    const head = [h("h2", {}, "Quality criteria"), h("p", { "data-athena": "complying" }, `${number.format(c.complying)} of ${number.format(c.judged)} processed acquisitions comply. `,
      h("span", { class: "muted" }, c.own ? "Set for this run." : "As the instance sets them."))]
    criteria.replaceChildren(...head, h("form", { class: "rules", onsubmit: (event) => { event.preventDefault(); model.send_msg({ do: "criteria", rules }) } },
      h("fieldset", { disabled: !model.may_write }, rules.map(row), rules.length ? "" : h("p", { class: "muted" }, "No rule: every image complies."),
        model.may_write ? h("div", { class: "bar" },
          h("button", { type: "button", class: "action", "data-athena": "rule-add", onclick: () => { rules.push({ metric: model.metrics[0].name, operator: "<=", value: null, upper: null }); drawCriteria() } }, "+ rule"),
          h("button", { class: "action primary", "data-athena": "criteria-save" }, "Save criteria"),
          c.own ? h("button", { type: "button", class: "link", "data-athena": "criteria-reset", onclick: () => model.send_msg({ do: "reset-criteria" }) }, "Those of the instance again") : "") : "")))
  }

  const drawParameters = () => {
    const wanted = {}
    const set = (p, value) => { if (value === p.value) delete wanted[p.name]; else wanted[p.name] = value }
    parameters.replaceChildren(h("h2", {}, "Parameters"), h("p", { class: "muted" }, "What is set here wins over what the microscope says. Where movies were already processed with another value, process into a branch instead: nothing is overwritten."),
      h("form", { onsubmit: (event) => { event.preventDefault(); if (Object.keys(wanted).length) model.send_msg({ do: "parameters", parameters: wanted }) } },
        h("fieldset", { class: "grid", disabled: !model.may_write }, model.parameters.map((p) => h("label", {}, h("span", { class: p.value === null ? "muted" : "" }, p.label), parameterField(p, p.value, (value) => set(p, value), "parameter")))),
        model.may_write ? h("button", { class: "action primary", "data-athena": "parameters-save" }, "Save parameters") : ""))
  }

  const all = h("div", { class: "processing", role: "region", "aria-label": "Processing", "data-athena": "processing" }, problem, said, failed, criteria, parameters)
  el.replaceChildren(all)
  live(model, ["problem"], () => { problem.hidden = !model.problem; problem.textContent = model.problem; if (model.problem) said.hidden = true })
  model.on("done", () => { said.hidden = false })
  // what is typed outlives what happens elsewhere: each section is drawn again only when its own numbers change
  live(model, ["failed", "may_write"], drawFailed)
  live(model, ["criteria", "metrics", "may_write"], () => {
    const now = JSON.stringify(model.criteria.rules ?? [])
    if (now !== criteria.dataset.rules) { rules = JSON.parse(now); criteria.dataset.rules = now }
    drawCriteria()
  })
  live(model, ["parameters", "may_write"], drawParameters)
  // to who may change nothing here it is still to be scrolled by keys
  live(model, ["may_write"], () => { if (model.may_write) all.removeAttribute("tabindex"); else all.tabIndex = 0 })
}
