export function render({ model, el }) {
  const count = h("span", { class: "badge", "data-athena": "badge-jobs", hidden: true })
  const bell = h("button", { class: "icon-button", "aria-expanded": "false", "data-athena": "bell", onclick: () => show(panel.hidden) }, icon("bell", 20), count)
  const body = h("div", { class: "groups" })
  const close = h("button", { class: "icon-button", title: "Close (Esc)", "aria-label": "Close", "data-athena": "bell-close", onclick: () => { show(false); bell.focus() } }, icon("close"))
  const panel = h("section", { class: "panel", role: "dialog", "aria-label": "Jobs", tabindex: "-1", "data-athena": "bell-panel", hidden: true },
    h("header", {}, h("h2", {}, "Jobs"), h("a", { class: "link", href: "?p=jobs", "data-go": "", "data-athena": "bell-all", onclick: () => show(false) }, "All jobs"), close), body)

  const show = (wanted) => {
    if (wanted === !panel.hidden) return
    panel.hidden = !wanted
    bell.setAttribute("aria-expanded", String(wanted))
    draw()
    if (wanted) panel.focus()
  }
  const draw = () => {
    const { count: many = 0, failed = false, hint = "" } = model.badge
    count.hidden = !many
    count.textContent = many > 99 ? "99+" : String(many)
    count.classList.toggle("failed", failed)
    bell.title = `Jobs: ${hint}`
    bell.setAttribute("aria-label", bell.title)
    if (panel.hidden) return body.replaceChildren() // nobody sees the jobs: they are drawn when it opens
    // what is drawn anew takes the focus away: it stays in the panel
    const inside = body.querySelector(":focus") !== null
    body.replaceChildren(model.problem ? h("p", { class: "problem", role: "alert" }, model.problem) : "",
      ...(model.groups.length ? model.groups.map((group) => h("section", {}, h("h3", {}, group.label), group.jobs.map((job) => line(job, group.state))))
        : [h("p", { class: "muted", "data-athena": "bell-none" }, "Nothing runs, nothing failed lately.")]))
    if (inside) panel.focus()
  }
  const line = jobLines(model, draw)
  const key = (event) => {
    if (event.key !== "Escape" || panel.hidden) return
    event.preventDefault()
    show(false)
    bell.focus()
  }
  panel.addEventListener("keydown", key)
  bell.addEventListener("keydown", key)
  const away = (event) => { if (!event.composedPath().includes(panel) && !event.composedPath().includes(bell)) show(false) }
  document.addEventListener("pointerdown", away)
  panel.addEventListener("click", (event) => { if (event.target.closest("a")) show(false) })
  el.replaceChildren(bell, panel)
  live(model, ["badge", "groups", "problem"], draw)
  return () => document.removeEventListener("pointerdown", away)
}
