// A tree of elements. Its levels come a page at a time, and only rows in sight are asked for and drawn: a level may
// hold a hundred thousand.

const TREE_ROW_PX = 28
const TREE_AGAIN_MS = 3000
const TREE_PICTURE_PX = 56 // of a micrograph with its thumbnail
const TREE_NEWS_MS = 2000 // between two readings of the micrographs of a run that goes on
const TREE_PAGE = 100
const TREE_SPARE = 12 // rows drawn above and below what is in sight

// ask({do: "level", level, offset} or {…, holding}): its page comes by take(); the level "" holds what is at the top
// picture(path): address of a thumbnail; micrographs of runs are asked for with {micrographs: true}
// choose(item) a row was chosen; may(item, level) whether it can be; shut: ids of what cannot be opened
function elementTree({ label, ask, choose, may = () => true, name = "tree-item", link = false, opened = [], shut = [], picture = () => "", unfolds = ["folder", "workflow", "step"] }) {
  const levels = new Map() // {total, items by place, asked, old: offsets of pages}
  const where = new Map() // {level, index} by id
  const open = new Set(["", ...opened])
  const nodes = new Map()
  let rows = []
  let epoch = 0
  let here = ""
  let goal = "" // last of the way
  let way = [] // ids from the top to what is to be brought into sight
  let active = null // {level, index, id}
  let planned = false
  let pictures = false
  const late = new Map() // timers of runs whose micrographs changed
  let onopen = () => {}

  const inner = h("div", { class: "tree-rows", role: "none" })
  const el = h("div", { class: "tree", role: "tree", tabindex: "0", "aria-label": label, "data-athena": "tree" }, inner)

  const expandable = (item) => unfolds.includes(item.kind) && (item.children > 0 || item.holds) && item.state !== "deleting" && !shut.includes(item.id)
  const itemOf = (row) => levels.get(row.level)?.items[row.index]
  const isActive = (row) => active && row.level === active.level && row.index === active.index
  const rowOf = (id) => { const at = where.get(id); return at ? rows.findIndex((row) => row.level === at.level && row.index === at.index) : -1 }

  function flatten() {
    rows = []
    let top = 0
    const put = (level, index, depth, total, tall) => {
      rows.push({ level, index, depth, total, top, tall })
      top += tall
    }
    const walk = (id, depth) => {
      const level = levels.get(id)
      if (!level) { put(id, 0, depth, 1, TREE_ROW_PX); return }
      const tall = pictures && level.micrographs ? TREE_PICTURE_PX : TREE_ROW_PX
      for (let index = 0; index < level.total; index += 1) {
        put(id, index, depth, level.total, tall)
        const item = level.items[index]
        if (item && open.has(item.id) && expandable(item)) walk(item.id, depth + 1)
      }
    }
    walk("", 1)
    // before anything is scrolled to
    inner.style.height = `${top}px`
  }
  // first row that ends below a height
  function rowAt(height) {
    let [low, high] = [0, rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (rows[middle].top + rows[middle].tall > height) high = middle
      else low = middle + 1
    }
    return low
  }

  function levelOf(id) {
    // a run is in the tree before its micrographs are
    const micrographs = Boolean(where.has(id) && levels.get(where.get(id).level)?.items[where.get(id).index]?.holds)
    if (!levels.has(id)) levels.set(id, { total: 1, items: [], asked: new Set(), old: new Set(), micrographs })
    return levels.get(id)
  }
  function want(id, index) {
    const level = levelOf(id)
    const offset = index - (index % TREE_PAGE)
    if (level.asked.has(offset) || (level.items[index] && !level.old.has(offset))) return
    level.old.delete(offset)
    level.asked.add(offset)
    ask({ do: "level", level: id, offset, epoch, ...(level.micrographs ? { micrographs: true } : {}) })
  }

  // a page came: {level, epoch, offset, total, items}; or its level is gone, or could not be read
  function take(page) {
    if (page.epoch !== epoch) return
    if (page.gone) { forget(page.level); plan(); return }
    const level = levelOf(page.level)
    level.asked.delete(page.holding || page.offset)
    if (page.failed) { setTimeout(plan, TREE_AGAIN_MS); return } // what is in sight is asked for again
    for (let index = page.offset; index < page.offset + TREE_PAGE; index += 1) {
      const at = level.items[index] && where.get(level.items[index].id)
      if (at && at.level === page.level && at.index === index) where.delete(level.items[index].id)
    }
    level.total = page.total
    level.note = page.note ?? ""
    level.items.length = Math.min(level.items.length, page.total)
    page.items.forEach((item, place) => {
      level.items[page.offset + place] = item
      where.set(item.id, { level: page.level, index: page.offset + place })
    })
    if (!page.total && page.level && !level.note) open.delete(page.level)
    plan()
  }
  function forget(id) {
    levels.delete(id)
    if (id) open.delete(id)
  }

  // what was read of a level may be old: its pages are read again where they are in sight
  function spoil(id) {
    const level = levels.get(id)
    if (!level) return
    for (let offset = 0; offset < Math.max(level.items.length, 1); offset += TREE_PAGE) level.old.add(offset)
    for (const offset of level.asked) level.old.add(offset)
  }
  // {all} or {gone: ids, changed: [[id, id of its parent]]}
  function hear(news) {
    if (news.all) for (const id of levels.keys()) spoil(id)
    for (const id of news.gone ?? []) {
      const at = where.get(id)
      if (at) spoil(at.level)
      forget(id)
    }
    for (const [id, parent] of news.changed ?? []) {
      const at = where.get(id)
      if (at) spoil(at.level)
      if (!at || at.level !== parent) {
        spoil(parent)
        // both places hold more or fewer than their rows say
        for (const place of [parent, at?.level]) if (place && where.has(place)) spoil(where.get(place).level)
      }
    }
    for (const id of news.inside ?? []) {
      // a run that goes on tells of itself every second
      if (!levels.has(id) || late.has(id)) continue
      late.set(id, setTimeout(() => { late.delete(id); spoil(id); plan() }, TREE_NEWS_MS))
    }
    plan()
  }
  function reset() {
    epoch += 1
    levels.clear()
    where.clear()
    way = []
    plan()
  }

  // opens the way to an element and brings it into sight
  function reveal(ids, { unfold = true, point: pointed = true } = {}) {
    if (pointed) here = ids.at(-1) ?? ""
    goal = ids.at(-1) ?? ""
    way = [...ids]
    for (const id of unfold ? ids : ids.slice(0, -1)) open.add(id)
    active = null
    for (const level of levels.values()) level.looked = null
    plan()
  }
  function point(id) {
    here = id
    plan()
  }
  function follow() {
    if (!way.length) return
    for (const [place, id] of way.entries()) {
      const parent = place ? way[place - 1] : ""
      if (where.get(id)?.level === parent) continue
      const level = levelOf(parent)
      if (level.asked.has(id)) return
      if (level.looked === `${epoch}${id}`) {
        // it is not there, or not any more, or not what a filter keeps: what would hold it is shown
        way = way.slice(0, place)
        goal = way.at(-1) ?? ""
        break
      }
      level.looked = `${epoch}${id}`
      level.asked.add(id)
      ask({ do: "level", level: parent, holding: id, epoch, ...(level.micrographs ? { micrographs: true } : {}) })
      return
    }
    const at = rowOf(goal)
    if (at < 0) return
    way = []
    active = { ...rows[at], id: goal }
    show(at, Math.floor(el.clientHeight / 2 / TREE_ROW_PX) * TREE_ROW_PX)
  }
  // where it is out of sight it comes to the edge, or so many pixels into sight
  function show(at, into = 0) {
    const { top, tall } = rows[at]
    if (into && (top < el.scrollTop || top + tall > el.scrollTop + el.clientHeight)) { el.scrollTop = top - into; return }
    if (top < el.scrollTop) el.scrollTop = top
    else if (top + tall > el.scrollTop + el.clientHeight) el.scrollTop = top + tall - el.clientHeight
  }

  function fold(item, wanted) {
    if (wanted === open.has(item.id)) return
    open[wanted ? "add" : "delete"](item.id)
    // what is not looked at may have grown old
    if (wanted) spoil(item.id)
    onopen([...open])
    plan()
  }

  function plan() {
    if (planned) return
    planned = true
    requestAnimationFrame(() => { planned = false; flatten(); follow(); draw() })
  }

  function rowNode(row, item) {
    const key = item?.id ?? `${row.level}/${row.index}`
    const told = JSON.stringify([row, item, item && open.has(item.id), item?.id === here, Boolean(item && may(item, row.level)), item?.holds && levels.get(item.id)?.note])
    let known = nodes.get(key)
    if (known?.told !== told) {
      const dead = !item || item.state === "deleting" || !may(item, row.level)
      const opens = item && expandable(item)
      const node = h(link && !dead ? "a" : "div", { class: `tree-row${dead ? " dead" : ""}${item?.id === here ? " here" : ""}`, role: "treeitem", tabindex: "-1",
        style: `padding-left: ${4 + 14 * (row.depth - 1)}px; height: ${row.tall}px`, href: link && !dead ? item.search : null, "data-go": link && !dead ? "" : null,
        "aria-level": row.depth, "aria-setsize": row.total, "aria-posinset": row.index + 1, "aria-expanded": opens ? String(open.has(item.id)) : null,
        "aria-current": link && item?.id === here ? "page" : null, "aria-selected": !link && item ? String(item.id === here) : null, "aria-disabled": dead && item ? "true" : null,
        "data-athena": item ? name : "tree-waits", "data-name": item?.name, "data-id": item?.id, title: item?.name, "aria-label": item ? null : "Loading" },
        h("span", { class: `twist${opens ? "" : " none"}${opens && open.has(item.id) ? " open" : ""}`, "aria-hidden": "true", onclick: (event) => {
          if (!opens) return
          event.preventDefault()
          event.stopPropagation()
          active = { ...row, id: item.id }
          fold(item, !open.has(item.id))
        } }, opens ? icon("chevron", 14) : null),
        item ? [row.tall === TREE_PICTURE_PX && item.picture ? h("img", { class: "thumb", src: picture(item.picture), alt: "", decoding: "async" }) : h("span", { class: row.tall === TREE_PICTURE_PX ? "thumb glyph" : "glyph" }, icon(item.kind, 16)),
          // names of micrographs begin alike: where they are cut, their ends stay
          item.kind === "micrograph" ? h("span", { class: "words tail" }, h("bdi", {}, item.name)) : h("span", { class: "words" }, item.name), filterMark(item),
          item.state === "archived" ? h("span", { class: "muted", title: "Archived" }, icon("archive", 14)) : item.status ? statusMark(item.status) : null]
          : h("span", { class: "waits" }))
      if (!link || dead) node.addEventListener("click", () => { if (item && !dead) pick(row, item) })
      else node.addEventListener("click", () => { active = { ...row, id: item.id } })
      known?.node.replaceWith(node)
      known = { told, node }
      nodes.set(key, known)
    }
    return [key, known.node]
  }
  const statusMark = (status) => STATUS[status] && status !== "not_started" ? h("span", { class: `mark is-${status}`, title: STATUS[status][1], role: "img", "aria-label": STATUS[status][1] }, STATUS[status][0]) : null

  const filterMark = (item) => {
    const note = item.holds && open.has(item.id) ? levels.get(item.id)?.note : ""
    return note ? h("span", { class: "kept", title: note, role: "img", "aria-label": note, "data-athena": "tree-filtered" }, icon("filter", 14)) : null
  }

  function pick(row, item) {
    active = { ...row, id: item.id }
    choose?.(item)
  }

  function draw() {
    const first = Math.max(0, rowAt(el.scrollTop) - TREE_SPARE)
    const last = Math.min(rows.length, rowAt(el.scrollTop + el.clientHeight) + 1 + TREE_SPARE)
    if (active?.id && where.has(active.id)) active = { ...where.get(active.id), id: active.id }
    const kept = new Set()
    let next = inner.firstChild
    for (let at = first; at < last; at += 1) {
      const row = rows[at]
      want(row.level, row.index)
      const [key, node] = rowNode(row, itemOf(row))
      if (kept.has(key)) continue
      kept.add(key)
      node.style.top = `${row.top}px`
      node.id = `row-${at}`
      node.classList.toggle("active", Boolean(isActive(row)))
      if (node === next) next = next.nextSibling
      else inner.insertBefore(node, next?.parentNode === inner ? next : null)
    }
    for (const [key, { node }] of nodes) if (!kept.has(key)) { node.remove(); nodes.delete(key) }
    const at = activeAt()
    if (at >= first && at < last) el.setAttribute("aria-activedescendant", `row-${at}`)
    else el.removeAttribute("aria-activedescendant")
    el.setAttribute("aria-busy", String(rows.length === 1 && !itemOf(rows[0])))
  }

  const activeAt = () => (active ? rows.findIndex(isActive) : -1)
  function move(at) {
    if (!rows.length) return
    const to = Math.max(0, Math.min(rows.length - 1, at))
    active = { ...rows[to], id: itemOf(rows[to])?.id }
    show(to)
    draw()
  }
  // the tree keeps the focus, whatever becomes of the row that was pressed
  inner.addEventListener("mousedown", (event) => { if (!event.button) { event.preventDefault(); el.focus({ preventScroll: true }) } })
  el.addEventListener("scroll", () => { if (!planned) draw() }, { passive: true })
  el.addEventListener("focus", () => { if (!active && rows.length) move(Math.max(0, rowOf(here))) })
  el.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const at = activeAt()
    const row = rows[at]
    const item = row && itemOf(row)
    const page = Math.max(1, Math.floor(el.clientHeight / TREE_ROW_PX) - 1)
    const keys = {
      ArrowDown: () => move(at + 1), ArrowUp: () => move(at < 0 ? 0 : at - 1), PageDown: () => move(at + page), PageUp: () => move(at - page),
      Home: () => move(0), End: () => move(rows.length - 1),
      ArrowRight: () => { if (!item || !expandable(item)) return; if (open.has(item.id)) move(at + 1); else fold(item, true) },
      ArrowLeft: () => {
        if (item && open.has(item.id) && expandable(item)) { fold(item, false); return }
        for (let up = at - 1; row && up >= 0; up -= 1) if (rows[up].depth < row.depth) { move(up); return }
      },
      Enter: () => { if (!item) return; if (link) nodes.get(item.id)?.node.click(); else if (may(item, row.level) && item.state !== "deleting") pick(row, item) },
    }
    keys[" "] = keys.Enter
    const act = keys[event.key]
    if (!act) return
    event.preventDefault()
    event.stopPropagation()
    act()
  })
  const seen = new ResizeObserver(() => plan())
  seen.observe(el)
  plan()
  const end = () => { seen.disconnect(); for (const timer of late.values()) clearTimeout(timer) }
  return { el, take, hear, reset, reveal, point, pictures: (on) => { pictures = on; plan() }, opened: (told) => { onopen = told }, end }
}
