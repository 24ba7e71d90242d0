const BOXES = [["state", "State"], ["kind", "Kind"], ["owner", "Owner"]]
const TYPING_MS = 250

export function render({ model, el }) {
  const boxes = BOXES.map(([name, label]) => h("select", { class: "field", "aria-label": label, "data-athena": `jobs-${name}`, "data-key": name === "state" ? "f" : null, onchange: () => ask() }))
  const element = h("input", { class: "field", type: "search", placeholder: "Element", "aria-label": "Element", "data-athena": "jobs-element", oninput: () => { clearTimeout(later); later = setTimeout(ask, TYPING_MS) } })
  const count = h("span", { class: "muted", role: "status", "data-athena": "jobs-count" })
  const clear = h("button", { class: "link", "data-athena": "jobs-clear", onclick: () => { for (const box of [...boxes, element]) box.value = ""; ask() } }, "Show all")
  let later = 0
  const ask = () => { clearTimeout(later); later = 0; model.send_msg({ ...Object.fromEntries(BOXES.map(([name], at) => [name, boxes[at].value])), element: element.value }) }
  const draw = () => {
    BOXES.forEach(([name, label], at) => {
      const options = [["", `${label}: any`], ...(model.choices[name] ?? [])]
      boxes[at].replaceChildren(...options.map(([value, word]) => h("option", { value, selected: value === (model.chosen[name] ?? "") }, word)))
    })
    // what is being typed is ahead of what was read
    if (!later && !element.matches(":focus")) element.value = model.chosen.element ?? ""
    const any = Object.values(model.chosen).some(Boolean)
    count.textContent = any ? `${number.format(model.shown)} of ${number.format(model.total)} jobs` : ""
    clear.hidden = !any
  }
  el.replaceChildren(h("div", { class: "filters", role: "search", "aria-label": "Jobs", "data-athena": "jobs-filters" }, boxes, element, count, clear))
  live(model, ["choices", "chosen", "shown", "total"], draw)
  return () => clearTimeout(later)
}
