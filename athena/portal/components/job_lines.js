// Put before the scripts of components that show jobs: one line a job, with progress and what may be done.

const MARKS = { running: "in_progress", pending: "not_started", failed: "error", finished: "completed", cancelled: "suspended" }
const WORDS = { cancel: "Cancel", retry: "Try again", remove: "Remove" }

// makes a function (job, state) → its line; `draw` draws all lines anew
function jobLines(model, draw) {
  let sure = "" // the job whose cancelling waits for a second word
  const act = (job, action) => {
    if (action === "cancel" && sure !== job.id) { sure = job.id; draw(); return }
    sure = ""
    model.send_msg({ do: action, id: job.id })
  }
  const button = (job, action) => action === "cancel" && sure === job.id
    ? h("span", { class: "sure" }, "Cancel it? ", h("button", { class: "link is-error", "data-athena": "job-cancel-sure", onclick: () => act(job, "cancel") }, "Cancel it"), " ",
        h("button", { class: "link", onclick: () => { sure = ""; draw() } }, "Let it run"))
    : h("button", { class: "link", "aria-label": `${WORDS[action]}: ${job.label} of ${job.element_name}`, "data-athena": `job-${action}`, onclick: () => act(job, action) }, WORDS[action])
  const progress = (job, state) => {
    const counted = job.total ? `${number.format(job.done)} of ${number.format(job.total)} ${job.unit}` : job.done ? `${number.format(job.done)} ${job.unit}` : ""
    return h("span", { class: "progress" }, state === "running" && job.total
      ? h("progress", { value: job.done, max: job.total, "aria-label": `${job.label}: ${counted}` }) : null, h("span", { class: "muted" }, counted))
  }
  const line = (job, state) => h("div", { class: "job", "data-athena": "job", "data-state": state },
    mark(MARKS[state]),
    h("span", { class: "what" }, h("strong", {}, job.label), " ", job.search && job.element_name !== "Private entity"
      ? h("a", { class: "to", href: job.search, "data-go": "" }, job.element_name) : h("span", { class: "muted" }, job.element_name)),
    progress(job, state),
    h("span", { class: "muted" }, job.initiator),
    h("span", { class: "muted" }, clock(job.finished ?? job.started ?? job.created)),
    h("span", { class: "tools" }, job.cancelling ? h("span", { class: "muted" }, "Ending…") : job.actions.map((action) => button(job, action))),
    job.message || job.item ? h("p", { class: state === "failed" ? "message is-error" : "message muted", "data-athena": "job-message" }, job.message, job.item ? ` (${job.item})` : "") : null)
  return line
}
