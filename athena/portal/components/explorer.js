const KEPT = "athena-explorer"
const OPENED = "athena-explorer-open" // of this browser tab
const NARROWEST = 180
const WIDEST = 520
const WIDTH = 240
const SORTS = [["", "Own order"], ["name", "Name"], ["created", "Created"], ["updated", "Changed"]]

export function render({ model, el }) {
  const host = el.getRootNode().host
  const read = (where, name, otherwise) => { try { return JSON.parse(where.getItem(name)) ?? otherwise } catch { return otherwise } }
  const kept = { open: true, deep: false, width: WIDTH, sort: "", down: false, pictures: false, ...read(localStorage, KEPT, {}) }
  const keep = (change) => { Object.assign(kept, change); localStorage.setItem(KEPT, JSON.stringify(kept)) }
  const order = { sort: kept.sort, down: kept.down }
  const tree = elementTree({ label: "Explorer", link: true, opened: read(sessionStorage, OPENED, []), ask: (asked) => model.send_msg({ ...asked, ...order }),
    unfolds: ["folder", "workflow", "step", "dataset"], picture: (path) => `${model.address}${path}` })
  tree.opened((ids) => sessionStorage.setItem(OPENED, JSON.stringify(ids.slice(-200))))

  // beside a single micrograph there is room for it only on wide screens: how it stands there is remembered by itself
  const which = () => (model.deep ? "deep" : "open")
  const wide = (width) => host.style.setProperty("--explorer-px", `${width}px`)
  const unfold = (open) => { keep({ [which()]: open }); draw() }

  const turn = h("button", { class: "icon-button", "data-athena": "explorer-turn" })
  const sort = h("select", { class: "field", title: "Order of the explorer", "aria-label": "Order of the explorer", "data-athena": "explorer-sort" },
    SORTS.map(([value, label]) => h("option", { value, selected: value === kept.sort }, label)))
  const ordered = (change) => { keep(change); Object.assign(order, { sort: kept.sort, down: kept.down }); drawTurn(); tree.reset(); reveal() }
  const pictures = h("button", { class: "icon-button", "data-athena": "explorer-pictures", onclick: () => { keep({ pictures: !kept.pictures }); drawPictures() } })
  const drawPictures = () => {
    const said = kept.pictures ? "Micrographs as a list" : "Micrographs with thumbnails"
    pictures.title = said
    pictures.setAttribute("aria-label", said)
    pictures.setAttribute("aria-pressed", String(kept.pictures))
    pictures.replaceChildren(icon(kept.pictures ? "list" : "micrograph", 16))
    tree.pictures(kept.pictures)
  }
  sort.addEventListener("change", () => ordered({ sort: sort.value }))
  turn.addEventListener("click", () => ordered({ down: !kept.down }))
  const reveal = () => tree.reveal(model.way, { unfold: !model.folded })
  const drawTurn = () => {
    const said = kept.down ? "Descending: turn to ascending" : "Ascending: turn to descending"
    turn.title = said
    turn.setAttribute("aria-label", said)
    turn.replaceChildren(icon(kept.down ? "falling" : "rising", 16))
  }
  const button = (open) => h("button", { class: "icon-button", title: open ? "Hide the explorer" : "Show the explorer", "aria-label": open ? "Hide the explorer" : "Show the explorer",
    "aria-expanded": String(open), "data-athena": "explorer-toggle", onclick: () => unfold(!open) }, icon(open ? "back" : "chevron", 16))
  const edge = h("div", { class: "edge", role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the explorer",
    "aria-valuemin": NARROWEST, "aria-valuemax": WIDEST, "data-athena": "explorer-edge" })
  const widen = (width) => { const to = Math.round(Math.min(WIDEST, Math.max(NARROWEST, width))); keep({ width: to }); wide(to); edge.setAttribute("aria-valuenow", to) }
  edge.addEventListener("pointerdown", (event) => {
    event.preventDefault()
    edge.setPointerCapture(event.pointerId)
    const from = kept.width - event.clientX
    const drag = (moved) => widen(from + moved.clientX)
    edge.addEventListener("pointermove", drag)
    edge.addEventListener("pointerup", () => edge.removeEventListener("pointermove", drag), { once: true })
  })
  edge.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -16, ArrowRight: 16 }[event.key]
    if (by) { event.preventDefault(); widen(kept.width + by) }
  })
  edge.addEventListener("dblclick", () => widen(WIDTH))

  const adds = h("div", { class: "adds" })
  const drawAdds = () => {
    adds.hidden = !model.adds.length
    adds.replaceChildren(...model.adds.map((one) => h("button", { class: "add", "data-athena": `explorer-add-${one.what}`, title: `Add a ${one.what} here`, "aria-label": `Add a ${one.what} here`,
      onclick: () => model.send_msg({ do: "add", what: one.what }) }, `+ Add ${one.what}`)))
  }
  const shut = h("div", { class: "shut" }, button(false))
  const box = h("aside", { class: "box", "aria-label": "Explorer", "data-athena": "explorer" },
    h("div", { class: "head" }, h("h2", {}, "Explorer"), button(true)), tree.el, h("div", { class: "foot" }, adds, h("div", { class: "sorts" }, sort, turn, pictures)), edge)
  const draw = () => {
    const open = Boolean(kept[which()])
    host.toggleAttribute("data-shut", !open)
    box.hidden = !open
    shut.hidden = open
  }
  el.replaceChildren(shut, box)
  wide(kept.width)
  edge.setAttribute("aria-valuenow", kept.width)
  drawTurn()
  drawPictures()
  draw()
  drawAdds()
  model.on("adds", drawAdds)
  if (model.way.length) reveal()
  model.on("deep", draw)
  model.on("way", reveal)
  // where one goes is marked before it is read
  model.on("here", () => tree.point(model.here))
  // each page counts: none of them may wait for the next frame
  model.on("page", () => tree.take(model.page))
  model.on("news", () => tree.hear(model.news))
  return () => tree.end()
}
