const ENDED = ["failed", "finished", "cancelled"]

export function render({ model, el }) {
  const draw = () => el.replaceChildren(h("div", { class: "board", "data-athena": "jobs" },
    model.groups.length ? null : h("p", { class: "empty muted", "data-athena": "empty" }, model.none),
    model.groups.map((group) => h("section", {}, h("header", {}, h("h2", {}, `${group.label} (${group.jobs.length})`)), group.jobs.map((job) => line(job, group.state)))),
    model.groups.some((group) => ENDED.includes(group.state)) ? h("div", {}, h("button", { class: "action", "data-athena": "jobs-remove-ended", title: "Takes your own ended jobs off the list",
      onclick: () => model.send_msg({ do: "remove-ended" }) }, "Remove all that ended")) : null))
  const line = jobLines(model, draw)
  live(model, ["groups", "none"], draw)
}
