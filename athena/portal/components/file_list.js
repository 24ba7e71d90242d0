const ROW_PX = 36
const HIDDEN_ROWS = 10
const MAX_ZIPPED = 400
const SYSTEM_FILES = [".DS_Store", "Thumbs.db", "desktop.ini"] // what file managers leave behind

const thin = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 1 }) // thin spaces between thousands
const whole = new Intl.NumberFormat("fr-FR")
function sized(bytes) {
  let value = bytes
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000) return `${(unit === "B" ? whole : thin).format(value).replace(",", ".")}\u2009${unit}`
    value /= 1000
  }
  return `${thin.format(value).replace(",", ".")}\u2009TB`
}
const counted = (count, word) => `${whole.format(count)} ${word}${count === 1 ? "" : "s"}`
const ICONS = { image: "micrograph", picture: "micrograph", text: "list", table: "cards", pdf: "file" }

export function render({ model, el }) {
  let rows = new Map() // files by their place in the folder
  let asked = new Set()
  let key = null
  let picked = new Map() // what is ticked: {folder} or {file}
  let everything = false

  const link = (options) => {
    const query = new URLSearchParams(model.base.replace(/^\?/, ""))
    for (const [name, value] of Object.entries(options)) if (value) query.set(name, value)
    return `?${query}`
  }
  const order = () => ({ sort: model.listing.sort === "name" ? "" : model.listing.sort, desc: model.listing.descending ? "1" : "" })
  const at = (dir) => link({ dir, ...order() })
  const inside = (name) => (model.listing.dir ? `${model.listing.dir}/${name}` : name)
  const last = (name) => name.split("/").pop()
  const content = (file) => `${model.address}/files/${file.id}/content`
  const count = () => (model.listing.folders?.length ?? 0) + (model.listing.total ?? 0)

  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const head = h("div", { class: "head" })
  const tools = h("div", { class: "tools" })
  const labels = h("div", { class: "line labels" })
  const inner = h("div", { class: "inner" })
  const scroll = h("div", { class: "scroll", tabindex: "-1" }, labels, inner)
  const table = h("div", { class: "table", "data-athena": "files" }, scroll)
  const empty = h("p", { class: "empty muted", "data-athena": "empty" })
  const box = h("section", { class: "box", "data-athena": "file-box" }, head, tools, problem, table, empty)

  const tick = (id, what, row) => h("label", { class: "tick" }, h("input", { type: "checkbox", "data-athena": "file-pick", "aria-label": `Choose ${row}`, checked: everything || picked.has(id),
    onchange: (event) => {
      if (everything) { everything = false; picked = new Map(); for (const [one, thing] of known()) picked.set(one, thing) }
      if (event.target.checked) picked.set(id, what); else picked.delete(id)
      event.target.closest(".line").classList.toggle("is-picked", event.target.checked)
      drawTools()
    } }))
  // all that has been sent so far
  function* known() {
    for (const folder of model.listing.folders) yield [`/${folder.name}`, { folder }]
    for (const file of rows.values()) yield [file.id, { file }]
  }

  const folderRow = (folder) => h("div", { class: `line${everything || picked.has(`/${folder.name}`) ? " is-picked" : ""}`, role: "listitem", "data-athena": "folder", "data-name": folder.name },
    tick(`/${folder.name}`, { folder }, folder.name),
    h("a", { class: "name", href: folder.volume ? link({ dir: model.listing.dir, ...order(), file: folder.volume }) : at(inside(folder.name)), "data-go": "", title: folder.name },
      h("span", { class: "glyph" }, icon(folder.volume ? "micrograph" : "folder", 16)), h("span", { class: "words" }, folder.name)),
    h("span", { class: "muted" }, folder.kind), h("span", { class: "size" }, sized(folder.size)),
    h("span", { class: "muted who" }, counted(folder.count, "file")), h("span", {}), h("span", {}))
  const fileRow = (file) => h("div", { class: `line${everything || picked.has(file.id) ? " is-picked" : ""}`, role: "listitem", "data-athena": "file", "data-name": last(file.name) },
    tick(file.id, { file }, last(file.name)),
    h("a", { class: "name", href: link({ dir: model.listing.dir, ...order(), file: file.id }), "data-go": "", title: file.name },
      h("span", { class: "glyph" }, icon(ICONS[file.viewer] ?? "file", 16)), h("span", { class: "words" }, last(file.name))),
    h("span", { class: "muted" }, file.kind), h("span", { class: "size" }, sized(file.size)),
    h("span", { class: "muted who" }, file.creator), h("span", { class: "muted" }, clock(file.created)), menu(file))
  const waitingRow = () => h("div", { class: "line", role: "listitem" }, h("span", {}), h("span", { class: "waits" }))

  function menu(file) {
    const button = h("button", { class: "icon-button", title: "Actions", "aria-label": `Actions for ${last(file.name)}`, "data-athena": "file-actions", onclick: () => open() }, icon("more", 16))
    const open = () => {
      // in the top layer: the list around it scrolls and would cut it off
      const items = h("div", { class: "menu-items", role: "menu", popover: "auto", ontoggle: (event) => { if (event.newState === "closed") items.remove() } })
      const entry = (label, name, act, danger) => h("button", { role: "menuitem", class: danger ? "is-error" : "", "data-athena": `file-${name}`, onclick: () => { items.hidePopover(); act() } }, label)
      items.append(
        entry("Copy link", "link", () => copy(new URL(link({ file: file.id }), location.href).href)),
        entry("Download", "download", () => fetchOne(file)),
        ...(model.may_write ? [entry("Rename…", "rename", () => rename(file)), entry("Delete…", "delete", () => remove([file], []), true)] : []))
      el.append(items)
      items.showPopover()
      const place = button.getBoundingClientRect()
      items.style.left = `${place.right - items.offsetWidth}px`
      items.style.top = `${Math.min(place.bottom + 2, window.innerHeight - items.offsetHeight - 8)}px`
      items.querySelector("button").focus()
    }
    return button
  }

  function save(address, name) {
    const anchor = h("a", { href: address, download: name ?? true })
    document.body.append(anchor)
    anchor.click()
    anchor.remove()
  }
  const fetchOne = (file) => save(content(file), last(file.name))

  function dialog(label, name, parts, action, { danger = false, act }) {
    const node = h("dialog", { class: "dialog", "aria-label": label, "data-athena": name, onclose: () => node.remove() },
      h("form", { method: "dialog", onsubmit: act }, h("h2", {}, label), ...parts,
        h("div", { class: "buttons" }, h("button", { type: "button", class: "action", onclick: () => node.close() }, "Cancel"),
          h("button", { class: danger ? "action danger" : "action primary", "data-athena": `${name}-go` }, action))))
    el.append(node)
    node.showModal()
  }
  function rename(file) {
    const input = h("input", { class: "field", value: file.name, required: true, maxlength: 1000, "aria-label": "New name", "data-athena": "file-name" })
    dialog(`Rename “${last(file.name)}”`, "file-dialog", [input, h("p", { class: "muted" }, "Slashes put it into folders.")], "Rename",
      { act: () => model.send_msg({ do: "rename", id: file.id, name: input.value }) })
    const dot = file.name.lastIndexOf(".")
    input.focus()
    input.setSelectionRange(file.name.length - last(file.name).length, dot > 0 ? dot : file.name.length)
  }
  function remove(files, folders) {
    const number = files.length + folders.reduce((sum, one) => sum + one.count, 0)
    const bytes = [...files, ...folders].reduce((sum, one) => sum + one.size, 0)
    const what = files.length + folders.length === 1 ? `“${files.length ? last(files[0].name) : folders[0].name}”` : counted(number, "file")
    const names = [...folders.map((one) => `${one.name}/ (${counted(one.count, "file")})`), ...files.map((one) => last(one.name))]
    dialog(`Delete ${what}`, "file-dialog", [
      h("p", {}, `${counted(number, "file")}, ${sized(bytes)}, ${number === 1 ? "goes" : "go"} for good. This cannot be undone.`),
      names.length > 1 ? h("ul", { class: "names muted" }, names.slice(0, 8).map((one) => h("li", {}, one)), names.length > 8 ? h("li", {}, `and ${whole.format(names.length - 8)} more`) : "") : ""],
    "Delete", { danger: true, act: () => model.send_msg({ do: "delete", files: files.map((one) => one.id), folders: folders.map((one) => inside(one.name)) }) })
  }
  function removeAll() {
    dialog(`Delete all files of “${model.listing.dir ? last(model.listing.dir) : model.element_name}”`, "file-dialog",
      [h("p", {}, `${counted(filesBelow(), "file")}, ${sized(model.listing.bytes)}, go for good. This cannot be undone.`)],
      "Delete", { danger: true, act: () => model.send_msg({ do: "delete", files: [], folders: [model.listing.dir] }) })
  }
  const filesBelow = () => model.listing.total + model.listing.folders.reduce((sum, one) => sum + one.count, 0)

  function zipAddress(files, folders) {
    const query = new URLSearchParams()
    if (folders.length || !files.length) query.append("elements", model.element)
    for (const folder of folders) query.append("folder", folder)
    for (const file of files) query.append("files", file.id)
    return `${model.zip_address}?${query}`
  }
  function download() {
    const { files, folders } = chosen()
    if (everything) save(zipAddress([], model.listing.dir ? [model.listing.dir] : []))
    else if (files.length === 1 && !folders.length) fetchOne(files[0])
    else save(zipAddress(files, folders.map((one) => inside(one.name))))
  }
  const chosen = () => ({ files: [...picked.values()].flatMap((one) => one.file ?? []), folders: [...picked.values()].flatMap((one) => one.folder ?? []) })

  // files of this machine: handed to the tray, which sends them whatever page is shown next
  function send(files) {
    const kept = files.filter(({ name }) => !SYSTEM_FILES.includes(last(name)))
    if (!kept.length) return
    document.dispatchEvent(new CustomEvent("athena-upload", { detail: {
      element: model.element, elementName: model.element_name, search: at(model.listing.dir), address: new URL(model.address, document.baseURI).href,
      files: kept.map(({ name, file }) => ({ name: inside(name), file })) } }))
  }
  function pick(folder) {
    const input = h("input", { type: "file", multiple: true, webkitdirectory: folder, hidden: true, "data-athena": "file-input",
      onchange: () => { send([...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }))); input.remove() }, oncancel: () => input.remove() })
    el.append(input)
    input.click()
  }
  async function dropped(entry) {
    if (entry.isFile) return [{ name: entry.fullPath.replace(/^\//, ""), file: await new Promise((done, fail) => entry.file(done, fail)) }]
    const reader = entry.createReader()
    const found = []
    for (;;) { // a reader gives a hundred at a time
      const some = await new Promise((done, fail) => reader.readEntries(done, fail))
      if (!some.length) break
      for (const one of some) found.push(...await dropped(one))
    }
    return found
  }
  const carriesFiles = (event) => model.may_write && [...(event.dataTransfer?.types ?? [])].includes("Files")
  let leaving = 0
  const over = (event) => { if (carriesFiles(event)) { event.preventDefault(); clearTimeout(leaving); box.classList.add("is-over") } }
  const away = () => { clearTimeout(leaving); leaving = setTimeout(() => box.classList.remove("is-over"), 120) }
  const drop = (event) => {
    if (!carriesFiles(event)) return
    event.preventDefault()
    away()
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
    const plain = [...event.dataTransfer.files].map((file) => ({ name: file.name, file }))
    const all = entries.length ? Promise.all(entries.map(dropped)).then((found) => found.flat()) : Promise.resolve(plain)
    all.then(send, (error) => { problem.textContent = `A file could not be read: ${error.message}`; problem.hidden = false })
  }
  const drops = { dragenter: over, dragover: over, dragleave: away, drop }
  for (const [name, hear] of Object.entries(drops)) document.addEventListener(name, hear)

  function drawTools() {
    const { files, folders } = chosen()
    const number = everything ? count() : picked.size
    const bytes = everything ? model.listing.bytes : [...files, ...folders].reduce((sum, one) => sum + one.size, 0)
    const many = files.length > MAX_ZIPPED && !everything
    tools.replaceChildren(...[
      h("span", { class: "muted", "data-athena": "files-total" }, model.busy ? "Deleting…" : number ? `${whole.format(number)} chosen, ${sized(bytes)}` : count() ? `${counted(filesBelow(), "file")}, ${sized(model.listing.bytes)}` : ""),
      h("span", { class: "push" }),
      number && model.may_write ? h("button", { class: "action danger", "data-athena": "files-delete", disabled: model.busy, onclick: () => (everything ? removeAll() : remove(files, folders)) }, "Delete…") : "",
      number ? h("button", { class: "action", "data-athena": "files-download", disabled: many, title: many ? `At most ${MAX_ZIPPED} files at once: choose all, or fewer` : null, onclick: download }, number === 1 && files.length ? "Download" : "Download as zip")
        : "",
      !number && model.solid ? h("a", { class: "action", href: model.solid, "data-go": "", "data-athena": "mode-3d", title: "Volumes, and images on one another, in three planes and in space" }, "3D") : "",
      !number && count() ? h("a", { class: "action", href: zipAddress([], model.listing.dir ? [model.listing.dir] : []), download: true, "data-athena": "files-download-all" }, "Download all as zip") : "",
      model.may_write && !number ? [h("button", { class: "action", "data-athena": "upload-folder", title: "A folder with all that is in it", onclick: () => pick(true) }, "Upload folder"),
        h("button", { class: "action primary", "data-athena": "upload-files", title: "Or drop files and folders here", onclick: () => pick(false) }, "Upload files")] : ""].flat())
    labels.querySelector("input")?.toggleAttribute("data-some", number > 0)
    if (labels.querySelector("input")) labels.querySelector("input").checked = everything
  }

  function drawHead() {
    const parts = model.listing.dir ? model.listing.dir.split("/") : []
    head.replaceChildren(h("h2", {}, h("a", { href: at(""), "data-go": "", "data-athena": "folder-top" }, "Files")),
      ...parts.map((part, number) => [h("span", { class: "arrow muted" }, icon("chevron", 14)),
        h("a", { class: "part", href: at(parts.slice(0, number + 1).join("/")), "data-go": "", "aria-current": number === parts.length - 1 ? "page" : null }, part)]).flat())
    const column = (name, label, style) => {
      const now = model.listing.sort === name
      const down = now ? !model.listing.descending : name !== "name"
      const words = now ? `Ordered by ${label.toLowerCase()}, ${model.listing.descending ? "falling" : "rising"}: turn it round` : `Order by ${label.toLowerCase()}`
      return h("a", { class: `${style ?? ""} ${now ? "sorted" : ""}`, href: link({ dir: model.listing.dir, sort: name === "name" ? "" : name, desc: down ? "1" : "" }), "data-go": "", "data-athena": `sort-${name}`,
        title: words }, label, now ? h("span", { "aria-hidden": "true" }, model.listing.descending ? " ↓" : " ↑") : "")
    }
    labels.replaceChildren(
      h("label", { class: "tick" }, h("input", { type: "checkbox", "aria-label": "Choose all", "data-athena": "files-all", onchange: (event) => { everything = event.target.checked; picked = new Map(); drawTools(); drawRows(true) } })),
      column("name", "Name"), h("span", {}, "Type"), column("size", "Size", "size"), h("span", { class: "who" }, "By"), column("created", "Uploaded"), h("span", {}))
  }

  let drawn = ""
  function drawRows(again) {
    if (key === null) return
    const number = count()
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW_PX) - HIDDEN_ROWS)
    const end = Math.min(number, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW_PX) + HIDDEN_ROWS)
    const folders = model.listing.folders.length
    let missing = null
    const shown = []
    for (let place = first; place < end; place += 1) {
      const file = rows.get(place - folders)
      if (place >= folders && !file) missing ??= place - folders
      shown.push(place < folders ? folderRow(model.listing.folders[place]) : file ? fileRow(file) : waitingRow())
    }
    const now = `${first}-${end}-${missing}`
    if (!again && now === drawn) return
    drawn = now
    inner.style.height = `${number * ROW_PX}px`
    inner.replaceChildren(h("div", { class: "shown", role: "list", "aria-label": "Folders and files", style: `top: ${first * ROW_PX}px` }, shown))
    if (missing !== null) {
      const offset = missing - (missing % model.listing.files.length)
      if (!asked.has(offset)) { asked.add(offset); model.send_msg({ do: "page", key, offset }) }
    }
  }

  const take = () => {
    const { listing } = model
    if (listing.key === undefined) return
    if (listing.key !== key) {
      key = listing.key
      asked = new Set()
      rows = new Map(listing.files.map((file, place) => [place, file]))
      const here = new Map(known())
      picked = new Map([...picked].flatMap(([id]) => (here.has(id) ? [[id, here.get(id)]] : [])))
      const elsewhere = listing.dir !== box.dataset.dir || model.element !== box.dataset.element
      if (elsewhere || !count()) { everything = false; scroll.scrollTop = 0; if (elsewhere) picked = new Map() }
      box.dataset.dir = listing.dir
      box.dataset.element = model.element
    }
    const none = !count()
    table.hidden = none
    empty.hidden = !none
    empty.textContent = listing.dir ? "There is nothing in this folder." : model.may_write ? "No file is here yet. Drop files or folders here, or upload them." : "No file is here yet."
    drawHead()
    drawTools()
    drawRows(true)
  }
  el.replaceChildren(box)
  live(model, ["listing", "address", "may_write", "busy", "solid"], take)
  model.on("page", () => {
    if (model.page.key !== key) return
    model.page.files.forEach((file, place) => rows.set(model.page.offset + place, file))
    drawRows(true)
  })
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem })
  scroll.addEventListener("scroll", () => requestAnimationFrame(() => drawRows(false)), { passive: true })
  const watcher = new ResizeObserver(() => drawRows(false))
  watcher.observe(scroll)
  return () => {
    watcher.disconnect()
    for (const [name, hear] of Object.entries(drops)) document.removeEventListener(name, hear)
  }
}
