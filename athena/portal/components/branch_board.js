const JOB_MARKS = { running: "in_progress", pending: "not_started", failed: "error", finished: "completed", cancelled: "suspended" }
const JOB_WORDS = { running: "Processing", pending: "Waiting for the runner", failed: "Failed", finished: "Finished", cancelled: "Cancelled" }

export function render({ model, el }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true, "data-athena": "branch-problem" })
  const [list, jobs, compare, form] = ["branches", "reprocessing", "comparison", "reprocess"].map((name) => h("section", { "data-athena": `processing-${name}` }))
  let sure = "" // what waits for a second word: "promote fine", "delete fine", "cancel <job>"
  const ask = (what, words, go, send, redraw, danger) => sure === what
    ? h("span", {}, words, " ", h("button", { class: danger ? "link is-error" : "link", "data-athena": `${what.split(" ")[0]}-sure`, onclick: () => { sure = ""; send() } }, go), " ",
        h("button", { class: "link", onclick: () => { sure = ""; redraw() } }, "Keep"))
    : h("button", { class: "link", "data-athena": what.split(" ")[0], onclick: () => { sure = what; redraw() } }, go)

  const drawList = () => list.replaceChildren(h("h2", {}, "Branches of results"),
    h("p", { class: "muted" }, "The same micrographs processed with other parameters, side by side. Nothing is overwritten; pages and exports show the default one."),
    h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, ["Branch", "Processed", "To do", "Failed", "Parameters", ""].map((text, at) => h("th", { scope: "col", class: at > 0 && at < 4 ? "number" : "" }, text)))),
      h("tbody", {}, model.branches.map((branch) => h("tr", { "data-athena": "branch", "data-name": branch.name, "data-default": String(branch.default), class: branch.chosen ? "chosen" : "" },
        h("td", {}, h("strong", {}, branch.name), h("div", { class: "muted" }, branch.maker, branch.maker && branch.created ? " · " : "", branch.created ? clock(branch.created) : "")),
        ["completed", "waiting", "error"].map((name) => h("td", { class: "number", "data-athena": `branch-${name}` }, number.format(branch[name]))),
        h("td", { class: "muted set" }, branch.parameters || "as the microscope says"),
        h("td", { class: "acts" }, h("div", {},
          branch.default ? h("span", { class: "is-completed" }, "the default") : null,
          branch.chosen ? h("span", { class: "muted" }, "looked at now") : h("a", { class: "link", href: branch.search, "data-go": "", "data-athena": "look" }, "Look at it"),
          branch.default || !model.may_write ? null
            : ask(`promote ${branch.name}`, "Pages and exports will show it.", sure === `promote ${branch.name}` ? "Switch" : "Make it the default", () => model.send_msg({ do: "promote", name: branch.name }), drawList),
          branch.default || !model.may_delete ? null
            : ask(`delete ${branch.name}`, "Its micrographs and numbers go.", sure === `delete ${branch.name}` ? "Delete it" : "Delete", () => model.send_msg({ do: "delete", name: branch.name }), drawList, true)))))))))

  const drawJobs = () => jobs.replaceChildren(...model.jobs.map((job) => {
    const counted = job.total ? `${number.format(job.done)} of ${number.format(job.total)}` : ""
    const open = job.state === "running" || job.state === "pending"
    return h("div", { class: "job", "data-athena": "reprocessing-job", "data-state": job.state }, mark(JOB_MARKS[job.state]),
      h("span", {}, job.cancelling ? "Ending" : JOB_WORDS[job.state], " ", h("strong", {}, job.branch)),
      open && job.total ? h("progress", { value: job.done, max: job.total, "aria-label": `${job.branch}: ${counted}` }) : null,
      h("span", { class: "muted", "data-athena": "reprocessing-count" }, counted),
      open && job.actions.includes("cancel") && !job.cancelling
        ? ask(`cancel ${job.id}`, "What is done stays.", sure === `cancel ${job.id}` ? "Cancel it" : "Cancel", () => model.send_msg({ do: "cancel", id: job.id }), drawJobs) : null,
      job.state === "failed" ? h("span", { class: "is-error" }, job.message) : null)
  }))

  const drawCompare = () => {
    const c = model.comparison
    if (!c.this) { compare.replaceChildren(); return }
    const pick = (name) => h("select", { class: "field", "aria-label": name === "this" ? "Branch" : "compared with", "data-athena": `compare-${name}`,
      onchange: (event) => model.send_msg({ do: "compare", this: c.this, other: c.other, [name]: event.target.value }) },
      model.branches.map((branch) => h("option", { value: branch.name, selected: branch.name === c[name] }, branch.default ? `${branch.name} (default)` : branch.name)))
    compare.replaceChildren(h("h2", {}, "Compare"),
      h("div", { class: "bar" }, pick("this"), h("span", { class: "muted" }, "with"), pick("other"),
        h("span", { class: "muted", "data-athena": "compared" }, c.this === c.other ? "Choose two." : `over ${number.format(c.both)} that both have processed`)),
      c.metrics.length ? h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Median of"), h("th", { scope: "col", class: "number" }, c.this), h("th", { scope: "col", class: "number" }, c.other),
        h("th", { scope: "col", class: "number", title: "Median of the differences, this minus the other, and their standard deviation" }, "Difference"), h("th", { scope: "col" }, "Micrograph by micrograph"))),
        h("tbody", {}, c.metrics.map((metric) => h("tr", { "data-athena": "compared-metric", "data-metric": metric.metric },
          h("td", {}, metric.label, metric.unit ? h("span", { class: "muted" }, " (", metric.unit, ")") : ""), h("td", { class: "number" }, metric.this), h("td", { class: "number" }, metric.other),
          h("td", { class: "number" }, metric.difference, h("span", { class: "muted" }, ` ± ${metric.deviation}`)),
          h("td", { class: "muted" }, metric.words)))))) : c.this === c.other ? "" : h("p", { class: "muted" }, "Both have processed nothing in common yet."))
  }

  let open = false
  let wanted = {}
  const drawForm = () => {
    if (!model.may_write || !model.total) { list.before(problem); form.replaceChildren(); return }
    if (!open) {
      list.before(problem)
      form.replaceChildren(h("button", { class: "action primary", "data-athena": "reprocess-open", onclick: () => { open = true; wanted = {}; drawForm() } }, "Process into a branch…"))
      return
    }
    const name = h("input", { class: "field", name: "branch", required: true, maxlength: 100, pattern: "\\w[\\w .\\(\\)+\\-]*", list: "known-branches", placeholder: "fine patches", "data-athena": "reprocess-branch",
      title: "Letters, digits, spaces and . ( ) + - _; a branch that is there goes on with what it does not have" })
    const which = h("select", { class: "field", "data-athena": "reprocess-which", onchange: () => { numbers.hidden = which.value !== "numbers"; trial.hidden = which.value === "numbers" } },
      h("option", { value: "all" }, `All that have a movie (${number.format(model.total)} acquired)`), h("option", { value: "filter" }, `Those that match the saved filter (${model.matching})`), h("option", { value: "numbers" }, "By number"))
    const listed = h("input", { class: "field", placeholder: "1-20, 35", "data-athena": "reprocess-numbers", title: "Counted from 1, as on a micrograph's page" })
    const numbers = h("label", { hidden: true }, h("span", {}, "Numbers, counted from 1"), listed)
    const some = h("input", { type: "checkbox", checked: true, "data-athena": "reprocess-trial" })
    const count = h("input", { class: "field few", type: "number", min: 1, step: 1, value: 5, "aria-label": "How many", "data-athena": "reprocess-exposures" })
    const trial = h("label", { class: "check" }, some, " For a trial, only ", count, " of them, spread evenly over the run")
    const plain = h("input", { type: "checkbox", "data-athena": "reprocess-keep_unweighted" })
    const unweighted = model.parameters.find((p) => p.name === "keep_unweighted")
    const submit = (event) => {
      event.preventDefault()
      const parameters = { ...wanted, ...(plain.checked ? { keep_unweighted: true } : {}) }
      const exposures = which.value !== "numbers" && some.checked ? Number(count.value) : null
      model.send_msg({ do: "reprocess", branch: name.value.trim(), parameters, exposures, chosen: which.value, numbers: listed.value })
    }
    form.replaceChildren(h("form", { class: "form", onsubmit: submit, "data-athena": "reprocess-form" }, h("h2", {}, "Process into a branch"),
      h("div", { class: "two" }, h("label", {}, h("span", {}, "Name of the branch"), name, h("datalist", { id: "known-branches" }, model.branches.filter((one) => !one.default).map((one) => h("option", { value: one.name })))),
        h("label", {}, h("span", {}, "Micrographs"), which)),
      numbers, trial,
      h("label", { class: "check", title: unweighted?.about ?? "" }, plain, " Keep the unweighted sum too", unweighted?.usual === "true" ? h("span", { class: "muted" }, " (the run keeps it anyway)") : ""),
      h("p", { class: "muted" }, "Parameters: what is left empty is as the run has it, as each field says."),
      h("fieldset", { class: "grid" }, model.parameters.filter((p) => p.name !== "keep_unweighted").map((p) =>
        h("label", {}, h("span", {}, p.label), parameterField(p, null, (value) => { if (value === null) delete wanted[p.name]; else wanted[p.name] = value }, "reprocess")))),
      problem, // why it was not done stands where the answer is given
      h("div", { class: "buttons" }, h("button", { type: "button", class: "action", onclick: () => { open = false; drawForm() } }, "Cancel"),
        h("button", { class: "action primary", "data-athena": "reprocess-go" }, "Process"))))
    name.focus()
  }

  el.replaceChildren(h("div", { class: "boards", "data-athena": "branch-board" }, problem, list, jobs, form, compare))
  live(model, ["problem"], () => { problem.hidden = !model.problem; problem.textContent = model.problem })
  model.on("begun", () => { open = false; drawForm() })
  live(model, ["branches", "may_write", "may_delete"], drawList)
  live(model, ["jobs"], drawJobs)
  live(model, ["comparison", "branches"], drawCompare)
  // an open form keeps what is typed, whatever happens meanwhile
  live(model, ["may_write", "total", "matching", "parameters"], () => { if (!open) drawForm() })
}
