const STATES = { stable: ["completed", "Stable"], waiting: ["in_progress", "Waiting"], down: ["error", "Down"] }

export function render({ model, el }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const said = h("p", { role: "status", "data-athena": "said" })
  const body = h("div", { class: "board", "data-athena": "health" })
  const reindex = () => askDialog(model, el, { label: "Reindex", action: "Reindex", send: () => model.send_msg({ do: "reindex" }),
    text: "The search index is made anew from the catalogue, as a job. Everything else goes on meanwhile." })
  const stop = () => askDialog(model, el, { label: "Stop all live exports", action: "Stop them all", danger: true, send: () => model.send_msg({ do: "stop-live-exports" }),
    text: "Every live export of every run ends. What has been copied stays." })
  const fact = (name, value, more) => h("div", { class: "fact" }, h("span", { class: "muted" }, name), h("strong", {}, number.format(value)), more ? h("span", { class: "muted" }, more) : null)
  const line = (one) => {
    const [kind, word] = STATES[one.state] ?? STATES.down
    return h("tr", { "data-athena": "service", "data-kind": one.kind, "data-state": one.state },
      h("td", {}, h("strong", {}, one.name), one.workers.length ? h("details", {}, h("summary", { class: "muted" }, `${one.workers.length} ${one.workers.length === 1 ? "worker" : "workers"}`),
        h("ul", {}, one.workers.map((worker) => h("li", {}, worker.name, h("span", { class: "muted" }, ` ${worker.threads} threads, ${size(worker.memory_bytes)}, ${number.format(worker.tasks)} movies`))))) : null),
      h("td", { class: `state is-${kind}` }, h("span", { class: "mark", "aria-hidden": "true" }, STATUS[kind][0]), word), h("td", {}, one.version || h("span", { class: "muted" }, "unknown")), h("td", {}, one.message),
      h("td", {}, one.started ? clock(one.started) : ""), h("td", {}, one.seen ? clock(one.seen) : ""))
  }
  el.replaceChildren(problem, said, body)
  live(model, ["health"], () => {
    const { services = [], queue, time } = model.health
    if (!queue) { body.replaceChildren(); return }
    const count = (state) => services.filter((one) => one.state === state).length
    body.replaceChildren(
      h("div", { class: "topline" }, h("p", {}, h("strong", {}, count("down") ? `${count("down")} of ${services.length} parts down` : count("waiting") ? `${count("waiting")} of ${services.length} parts waiting` : "Everything is stable"),
        h("span", { class: "muted" }, ", as of "), clock(time)),
        h("span", { class: "row" }, h("button", { class: "action", "data-athena": "reindex", onclick: reindex }, "Reindex"),
          h("button", { class: "action danger", "data-athena": "stop-live-exports", onclick: stop }, "Stop all live exports"))),
      h("div", { class: "facts" }, fact("Jobs running", queue.jobs_running), fact("Jobs waiting", queue.jobs_waiting), fact("Movies in process", queue.movies_processing), fact("Movies waiting", queue.movies_waiting)),
      queue.oldest_waiting ? h("p", { class: "muted" }, "The job that has waited longest was asked for at ", clock(queue.oldest_waiting), ".") : "",
      h("div", { class: "sheet" }, h("table", {}, h("thead", {}, h("tr", {}, ["Part", "State", "Version", "Message", "Started", "Last heard of"].map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, services.map(line)))))
  })
  live(model, ["said"], () => { said.textContent = model.said; said.hidden = !model.said })
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem || Boolean(body.parentNode.querySelector("dialog")) })
}
