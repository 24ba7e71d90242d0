export function render({ model, el }) {
  let timer = null
  const box = h("input", { class: "field", type: "search", placeholder: "Search the guide", "aria-label": "Search the guide", value: model.text, "data-athena": "guide-search",
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => model.send_msg({ do: "look", text: box.value.trim() }), 250) } })
  const list = h("nav", { class: "pages", "aria-label": "Pages of the guide" })
  const page = h("article", { class: "page", "data-athena": "guide-page" })
  el.replaceChildren(h("div", { class: "guide", "data-athena": "guide" }, h("aside", {}, box, list), page))
  const marked = (text) => {
    const words = model.text.split(/[^\p{L}\p{N}_]+/u).filter(Boolean)
    if (!words.length) return [text]
    return text.split(new RegExp(`(?<![\\p{L}\\p{N}_])(${words.join("|")})`, "iu")).map((part, at) => at % 2 ? h("mark", {}, part) : part)
  }
  const hit = (one) => h("a", { class: "hit", href: one.search, "data-go": "", "data-athena": "guide-hit" },
    h("strong", {}, marked(one.heading)), one.heading === one.page ? "" : h("span", { class: "muted" }, ` ${one.page}`), h("p", {}, marked(one.excerpt)))
  // the page scrolls inside another component: only that one is moved, not the frame around it
  const scroller = () => {
    for (let at = page; at; at = at.assignedSlot ?? at.parentElement ?? at.getRootNode().host) if (at.scrollHeight > at.clientHeight && getComputedStyle(at).overflowY === "auto") return at
    return null
  }
  const go = () => {
    const to = model.at && page.querySelector(`#${CSS.escape(model.at)}`)
    const inside = scroller()
    if (inside) inside.scrollTop += to ? to.getBoundingClientRect().top - inside.getBoundingClientRect().top - 16 : -inside.scrollTop
  }
  const draw = () => {
    list.replaceChildren(...model.pages.map((one) => h("a", { href: one.search, "data-go": "", "aria-current": one.here ? "page" : null }, one.title)))
    if (model.text) {
      page.replaceChildren(h("h1", {}, "Found"), h("p", { class: "muted", "aria-live": "polite" }, model.found.length ? `${number.format(model.found.length)} ${model.found.length === 1 ? "section" : "sections"}` : "Nothing in the guide has all these words. Fewer or shorter words find more."),
        ...model.found.map(hit))
      return
    }
    if (document.activeElement !== el && !el.getRootNode().activeElement) box.value = ""
    page.innerHTML = model.html
    for (const table of page.querySelectorAll("table")) { const frame = h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }); table.replaceWith(frame); frame.append(table) }
    for (const code of page.querySelectorAll("pre")) { code.tabIndex = 0 }
    requestAnimationFrame(go)
  }
  live(model, ["html", "at", "text", "found", "pages"], draw)
}
