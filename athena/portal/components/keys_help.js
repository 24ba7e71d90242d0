const TYPED = ["INPUT", "TEXTAREA", "SELECT"]
// filters that do not name themselves by data-key
const FILTERS = "[data-key=f], [data-athena=rule-add], [data-athena=metadata-filter]"

// the first that can be seen, also inside shadow roots
function seen(root, selector) {
  for (const node of root.querySelectorAll("*")) {
    if (node.matches(selector) && node.getClientRects().length && !node.disabled) return node
    const inside = node.shadowRoot && seen(node.shadowRoot, selector)
    if (inside) return inside
  }
  return null
}

export function render({ model, el }) {
  el.style.display = "none"
  const caps = (keys) => keys.split(" ").map((key) => (key === "+" && keys.includes("click") ? " + " : h("kbd", {}, key)))
  const group = ({ label, keys }) => h("section", {}, h("h3", {}, label), h("dl", {}, keys.map(([key, what]) => h("div", {}, h("dt", {}, caps(key)), h("dd", {}, what)))))
  let dialog = null
  const open = () => {
    if (dialog) return
    const works = ({ name }) => name === "everywhere" || model.here.includes(name)
    const others = model.groups.filter((one) => !works(one))
    const focused = document.activeElement
    dialog = h("dialog", { class: "dialog keys", "aria-label": "Keys", "data-athena": "keys", onclose: () => { dialog.remove(); dialog = null; el.style.display = "none"; focused?.focus?.() },
      onclick: (event) => { if (event.target === dialog) dialog.close() } },
      h("div", { class: "head" }, h("h2", {}, "Keys"), h("button", { class: "icon-button", title: "Close (Esc)", "aria-label": "Close", "data-athena": "keys-close", onclick: () => dialog.close() }, icon("close"))),
      h("div", { class: "groups", "data-athena": "keys-here" }, model.groups.filter(works).map(group)),
      others.length ? h("h3", { class: "muted elsewhere" }, "On other pages") : null,
      h("div", { class: "groups muted" }, others.map(group)))
    el.style.display = ""
    el.replaceChildren(dialog)
    dialog.showModal()
  }
  const find = () => {
    const filter = seen(document, FILTERS)
    if (!filter) return false
    filter.focus()
    if (filter.tagName === "SUMMARY" || filter.tagName === "BUTTON") filter.click()
    return true
  }
  const key = (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || dialog) return
    const from = event.composedPath()[0]
    if (from.isContentEditable || TYPED.includes(from.tagName)) return
    if (event.key === "?") { event.preventDefault(); open() }
    else if (event.key === "f" && find()) event.preventDefault()
  }
  document.addEventListener("keydown", key)
  document.addEventListener("athena-keys", open)
  return () => {
    document.removeEventListener("keydown", key)
    document.removeEventListener("athena-keys", open)
    dialog?.close()
  }
}
