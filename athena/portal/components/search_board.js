const IN = [["name", "Name"], ["metadata", "Metadata"], ["notes", "Notes"]]
const KINDS = [["folder", "Folders"], ["workflow", "Workflows"], ["step", "Steps"], ["dataset", "Datasets"], ["file", "Files"]]
const STATUSES = [["", "Any status"], ...SETTABLE.map((status) => [status, STATUS[status][1]])]
const PATIENCE = 300 // ms without typing before a search

// the beginnings of words that were asked for, marked
function marked(name, words) {
  const typed = words.toLowerCase().split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  if (!typed.length) return [name]
  const parts = name.split(new RegExp(`(?<![\\p{L}\\p{N}])(${typed.join("|")})`, "giu"))
  return parts.map((part, at) => at % 2 ? h("mark", {}, part) : part)
}

export function render({ model, el }) {
  let timer = 0
  const box = h("input", { class: "field box", type: "search", placeholder: "Search names, metadata and notes", "aria-label": "Search", maxlength: 500, autocomplete: "off", "data-athena": "search" })
  const checks = (pairs, hook) => pairs.map(([value, label]) => h("label", { class: "check" }, h("input", { type: "checkbox", value, "data-athena": `${hook}-${value}`, onchange: () => look(0) }), label))
  const within = checks(IN, "in")
  const kinds = checks(KINDS, "kind")
  const status = h("select", { class: "field", "aria-label": "Status", "data-athena": "search-status", onchange: () => look(0) }, STATUSES.map(([value, label]) => h("option", { value }, label)))
  const owner = h("input", { class: "field", placeholder: "Made by", "aria-label": "Made by", "data-athena": "search-owner" })
  const since = h("input", { class: "field", type: "date", "aria-label": "Changed on this day or later", title: "Changed on this day or later (UTC)" })
  const until = h("input", { class: "field", type: "date", "aria-label": "Changed on this day or before", title: "Changed on this day or before (UTC)" })
  const where = h("input", { class: "field", placeholder: "defocus > 1 um and microscope = 'Krios G4'", "aria-label": "Condition on metadata", maxlength: 1000, "data-athena": "search-where" })
  const texts = [["q", box], ["owner", owner], ["since", since], ["until", until], ["where", where], ["status", status]]
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const list = h("div", { class: "hits", role: "list" })
  const count = h("p", { class: "muted", role: "status", "data-athena": "search-count" })
  const more = h("button", { class: "action", hidden: true, "data-athena": "search-more", onclick: () => readOn() }, "Show more")
  const ahead = h("div", { class: "ahead", "aria-hidden": "true" }) // comes into view some screens before the end
  const chosen = (boxes) => boxes.map((label) => label.firstChild).filter((one) => one.checked).map((one) => one.value).join(",")
  const told = () => ({ ...Object.fromEntries(texts.map(([name, field]) => [name, field.value.trim()])), in: chosen(within), kind: chosen(kinds) })
  const look = (patience, other = { show: "" }) => {
    clearTimeout(timer)
    timer = setTimeout(() => model.send_msg({ do: "look", options: { ...told(), ...other } }), patience)
  }
  for (const field of [box, owner, where]) field.addEventListener("input", () => look(PATIENCE))
  for (const field of [since, until]) field.addEventListener("change", () => look(0))
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") look(0); if (event.key === "ArrowDown") { event.preventDefault(); list.querySelector("a.hit")?.focus() } })
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const links = [...list.querySelectorAll("a.hit")]
    const at = links.indexOf(event.target) + step
    ;(at < 0 ? box : links[Math.min(at, links.length - 1)]).focus()
  })
  const hit = (item) => h("div", { role: "listitem", class: "line" },
    h("a", { class: "hit", href: item.search, "data-go": "", "data-athena": "hit", "data-name": item.file || item.name },
      h("span", { class: "glyph" }, icon(item.file ? "file" : item.kind)),
      h("span", { class: "what" }, h("span", { class: "name" }, marked(item.file || item.name, model.options.q ?? "")),
        h("span", { class: "muted way" }, item.file ? `File in ${item.name}` : item.type, item.way.length ? ` in ${item.way.map((one) => one.name).join(" › ")}` : "")),
      item.status ? mark(item.status) : h("span"), h("span", { class: "muted" }, item.creator), h("span", { class: "muted" }, clock(item.updated))))
  el.replaceChildren(h("div", { class: "board" }, box,
    h("div", { class: "narrow" }, h("fieldset", {}, h("legend", { class: "muted" }, "Search in"), within), h("fieldset", {}, h("legend", { class: "muted" }, "Show"), kinds)),
    h("div", { class: "narrow" }, status, owner, h("label", { class: "check muted" }, "from", since), h("label", { class: "check muted" }, "to", until), where),
    problem, count, h("div", { class: "found" }, list, ahead), more))
  live(model, ["options"], () => {
    // what is being typed is newer than what was answered
    for (const [name, field] of texts) if (el.getRootNode().activeElement !== field) field.value = model.options[name] ?? ""
    for (const [name, boxes] of [["in", within], ["kind", kinds]]) for (const { firstChild: one } of boxes) one.checked = (model.options[name] ?? "").split(",").includes(one.value)
  })
  let waiting = false
  let shown = 0
  const left = () => model.asked && !model.problem && shown < model.total
  const readOn = () => { if (left() && !waiting) { waiting = true; model.send_msg({ do: "more" }) } }
  const watcher = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) readOn() })
  const tell = () => {
    problem.textContent = model.problem
    problem.hidden = !model.problem
    count.textContent = model.problem ? "" : !model.asked ? (shown ? "Opened lately" : "Type what you look for. Words match from their beginning.")
      : model.total ? `${number.format(model.total)}${model.more ? " or more" : ""} found${shown < model.total ? `, the best ${number.format(shown)} shown` : ""}` : "Nothing that you may see has this. Fewer words, or other boxes above, find more."
    more.hidden = !left()
    // one that stayed in view says nothing by itself
    watcher.unobserve(ahead)
    if (left()) watcher.observe(ahead)
  }
  const draw = () => {
    waiting = false
    shown = model.hits.length
    list.replaceChildren(...model.hits.map(hit))
    tell()
  }
  model.on("hits", draw)
  model.on("further", () => {
    // another answer, even where its hits are those of the last: what followed is gone, nothing is waited for
    if (!model.further.hits) return draw()
    if (model.further.after !== shown) return
    waiting = false
    shown += model.further.hits.length
    list.append(...model.further.hits.map(hit))
    tell()
  })
  live(model, ["total", "more", "asked", "problem"], () => { if (model.problem) waiting = false; tell() })
  draw()
  requestAnimationFrame(() => box.focus())
}
