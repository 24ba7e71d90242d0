const AT_ONCE = 3
const CHUNK = 8 << 20
const PATIENCE_MS = 300_000 // how long a server that does not answer is waited for
const SHOWN = 100
const TUS = { "Tus-Resumable": "1.0.0" }

// CRC-32 (ISO 3309): browsers offer better sums on secure pages only, and many portals are plain http in a closed network
const CRC = Uint32Array.from({ length: 256 }, (_, at) => { let value = at; for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1; return value })
function crc32(bytes) {
  let value = 0xffffffff
  for (let at = 0; at < bytes.length; at += 1) value = CRC[(value ^ bytes[at]) & 255] ^ (value >>> 8)
  value = ~value >>> 0
  return btoa(String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255))
}
const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""))
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

class Cancelled extends Error {}
class Refused extends Error {
  constructor(status, text) {
    let told = {}
    try { told = JSON.parse(text) } catch { /* an answer of something in between */ }
    super([told.message ?? (status ? `The server answered ${status}.` : "The server does not answer."), told.hint].filter(Boolean).join(" "))
    this.status = status
  }
  // what may go better the next time: no connection, another writer, a chunk that arrived damaged or elsewhere
  get passes() { return this.status === 0 || this.status >= 500 || [408, 409, 423, 429, 460].includes(this.status) }
}

// fetch tells nothing of what it has sent so far
function request(item, method, address, { headers = {}, body = null, progress = null } = {}) {
  return new Promise((done, fail) => {
    const ask = new XMLHttpRequest()
    item.request = ask
    ask.open(method, address)
    for (const [name, value] of Object.entries(headers)) ask.setRequestHeader(name, value)
    if (progress) ask.upload.onprogress = (event) => progress(event.loaded)
    ask.onload = () => (ask.status < 400 ? done(ask) : fail(new Refused(ask.status, ask.responseText)))
    ask.onerror = () => fail(new Refused(0, ""))
    ask.onabort = () => fail(new Cancelled())
    ask.send(body)
  })
}

const memory = (item) => `athena-upload ${item.element} ${item.name} ${item.file.size} ${item.file.lastModified}`
const place = (item) => `${item.address}/uploads/${item.id}`

async function begin(item) {
  const known = localStorage.getItem(memory(item))
  if (known) {
    item.id = known
    try { await request(item, "HEAD", place(item), { headers: TUS }); return } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error
      localStorage.removeItem(memory(item)) // it expired, or was cancelled elsewhere
    }
  }
  const answer = await request(item, "POST", `${item.address}/uploads`, { headers: { ...TUS, "Upload-Length": String(item.file.size), "Upload-Metadata": `filename ${base64(item.name)}` } })
  item.id = answer.getResponseHeader("Location").split("/").pop()
  localStorage.setItem(memory(item), item.id)
}

async function sendAll(item, told) {
  const stands = async () => Number((await request(item, "HEAD", place(item), { headers: TUS })).getResponseHeader("Upload-Offset"))
  let offset = await stands()
  item.sent = offset
  while (offset < item.file.size) {
    if (item.cancelled) throw new Cancelled()
    const chunk = new Uint8Array(await item.file.slice(offset, offset + CHUNK).arrayBuffer().catch(() => { throw new Error("The file cannot be read any more: was it moved or changed?") }))
    const from = offset
    const answer = await request(item, "PATCH", place(item), {
      headers: { ...TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(from), "Upload-Checksum": `crc32 ${crc32(chunk)}` },
      body: chunk, progress: (loaded) => { item.sent = from + loaded; told() } })
    offset = Number(answer.getResponseHeader("Upload-Offset"))
    item.sent = offset
    item.progressed = Date.now()
    told()
  }
}

async function send(item, told) {
  item.state = "sending"
  item.progressed = Date.now()
  let wait = 500
  const patiently = async (work) => {
    for (;;) {
      try { return await work() } catch (error) {
        // a name that is taken is told by 409 too, but at the beginning
        const again = error instanceof Refused && error.passes && (item.id || error.status !== 409)
        if (item.cancelled || !again || Date.now() - item.progressed > PATIENCE_MS) throw error
        item.last = error.message
        item.message = `${error.message} It goes on by itself.`
        told()
        await pause(wait)
        wait = Math.min(2 * wait, 10_000)
        item.message = ""
      }
    }
  }
  try {
    await patiently(() => begin(item))
    if (item.cancelled) throw new Cancelled()
    await patiently(() => { wait = Date.now() - item.progressed < 1000 ? 500 : wait; return sendAll(item, told) })
    item.state = "done"
    localStorage.removeItem(memory(item))
  } catch (error) {
    if (item.cancelled) { forgotten(item); return }
    item.state = "failed"
    // what ended it says more than that it has ended
    item.message = error.status === 404 && item.last ? item.last : error.message
    if (!(error instanceof Refused) || error.passes) return
    localStorage.removeItem(memory(item))
  } finally {
    if (item.state === "done") item.message = ""
    item.ended = Date.now()
    told()
  }
}

// nothing may stay of what was cancelled, not even where its last byte arrived in the same moment
async function forget(item) {
  localStorage.removeItem(memory(item))
  if (!item.id) return
  for (let attempt = 0; attempt < 8; attempt += 1) {
    try { await request({}, "DELETE", place(item), { headers: TUS }); return } catch (error) {
      if (error.status === 404) break
      await pause(300 * 2 ** attempt)
    }
  }
  await request({}, "DELETE", `${item.address}/files/${item.id}`).catch((error) => { if (error.status !== 404) throw error })
}

const forgotten = (item) => forget(item).catch((error) => console.warn(`${item.name}: ${error.message}`))

const thin = new Intl.NumberFormat("en", { maximumFractionDigits: 1, useGrouping: false })
function sized(bytes) {
  let value = bytes
  for (const unit of ["B", "kB", "MB", "GB"]) { if (value < 1000) return `${thin.format(value)}\u2009${unit}`; value /= 1000 }
  return `${thin.format(value)}\u2009TB`
}
const lasting = (seconds) => {
  if (seconds < 60) return `${Math.ceil(seconds)}\u2009s`
  const minutes = Math.ceil(seconds / 60), hours = Math.floor(minutes / 60)
  return hours ? `${hours}\u2009h ${String(minutes % 60).padStart(2, "0")}\u2009min` : `${minutes}\u2009min`
}
const RANKS = { failed: 0, sending: 1, waiting: 2, done: 3 }
const MARKS = { failed: "error", sending: "in_progress", waiting: "not_started", done: "completed" }

export function render({ model, el }) {
  let items = []
  let asked = false
  const marks = [] // how much was sent when, to tell the speed
  const tray = h("section", { class: "tray", popover: "manual", "aria-label": "Uploads", "data-athena": "uploads" })
  const open = (state) => items.filter((item) => item.state === state)
  const told = () => { if (!asked) { asked = true; setTimeout(() => { asked = false; draw() }, 150) } }

  const pump = () => {
    for (const item of items) {
      if (open("sending").length >= AT_ONCE) break
      if (item.state === "waiting") send(item, told).finally(pump)
    }
    draw()
  }
  const cancel = (some) => {
    for (const item of some) {
      item.cancelled = true
      if (item.id) item.request?.abort() // a beginning is waited for: only its answer tells what to take away
      if (item.state === "failed") forgotten(item)
    }
    items = items.filter((item) => !some.includes(item))
    pump()
  }
  const again = (item) => { Object.assign(item, { state: "waiting", message: "", sent: 0, id: "" }); pump() }

  function speed() {
    const now = Date.now()
    marks.push([now, items.reduce((sum, item) => sum + (item.state === "sending" || item.state === "done" ? item.sent : 0), 0)])
    while (marks.length > 2 && now - marks[0][0] > 5000) marks.shift()
    const [[from, before], [to, after]] = [marks[0], marks[marks.length - 1]]
    return to - from > 500 ? Math.max(0, (1000 * (after - before)) / (to - from)) : 0
  }

  const row = (item) => h("li", { class: "item", "data-athena": "upload", "data-name": item.name, "data-state": item.state },
    mark(MARKS[item.state]),
    h("span", { class: "words", title: `${item.name} → ${item.elementName}` }, h("strong", {}, item.name.split("/").pop()), h("a", { class: "muted where", href: item.search, "data-go": "" }, ` ${item.elementName}`)),
    h("span", { class: "muted number" }, item.state === "sending" ? `${sized(item.sent)} of ${sized(item.file.size)}` : item.state === "done" ? sized(item.file.size) : item.state === "waiting" ? "Waiting" : ""),
    item.state === "failed" ? h("button", { class: "link", "data-athena": "upload-again", onclick: () => again(item) }, "Try again") : "",
    h("button", { class: "icon-button", title: item.state === "done" || item.state === "failed" ? "Take off the list" : "Cancel", "aria-label": `Cancel ${item.name}`, "data-athena": "upload-cancel", onclick: () => cancel([item]) }, "×"),
    item.state === "sending" ? h("progress", { value: item.sent, max: item.file.size || 1, "aria-label": item.name }) : "",
    item.message ? h("p", { class: item.state === "failed" ? "message is-error" : "message muted", role: item.state === "failed" ? "alert" : null }, item.message) : "")

  function draw() {
    const busy = [...open("sending"), ...open("waiting")]
    const failed = open("failed").length
    const total = items.reduce((sum, item) => sum + item.file.size, 0)
    const sent = items.reduce((sum, item) => sum + (item.state === "done" ? item.file.size : item.sent), 0)
    const rate = speed()
    const rest = busy.reduce((sum, item) => sum + item.file.size - item.sent, 0)
    const words = busy.length ? `${sized(sent)} of ${sized(total)}${rate ? ` · ${sized(rate)}/s · ${lasting(rest / rate)} left` : ""}`
      : failed ? `${failed} failed` : `${items.length} ${items.length === 1 ? "file is" : "files are"} there`
    document.dispatchEvent(new CustomEvent("athena-uploads", { detail: { total: items.length, busy: busy.length, failed, fraction: total ? sent / total : 1, words } }))
    if (!items.length && tray.matches(":popover-open")) tray.hidePopover()
    const order = [...items].sort((one, other) => RANKS[one.state] - RANKS[other.state])
    const list = tray.querySelector("ul")
    const top = list?.scrollTop ?? 0
    tray.replaceChildren(
      h("header", {}, h("h2", {}, "Uploads"), h("span", { class: "muted words", "data-athena": "uploads-words" }, words),
        busy.length > 1 ? h("button", { class: "link", "data-athena": "uploads-cancel", onclick: () => cancel(busy) }, "Cancel all") : "",
        !busy.length ? h("button", { class: "link", "data-athena": "uploads-clear", onclick: () => { items = []; draw() } }, "Clear") : "",
        h("button", { class: "icon-button", title: "Hide: they go on", "aria-label": "Hide", "data-athena": "uploads-hide", onclick: () => tray.hidePopover() }, icon("down", 16))),
      h("ul", {}, order.slice(0, SHOWN).map(row), order.length > SHOWN ? h("li", { class: "muted more" }, `and ${order.length - SHOWN} more`) : ""))
    tray.querySelector("ul").scrollTop = top
  }

  const take = (event) => {
    const { files, ...about } = event.detail
    const fresh = files.filter(({ name }) => !items.some((item) => item.element === about.element && item.name === name && item.state !== "failed" && item.state !== "done"))
    items = items.filter((item) => !(item.element === about.element && fresh.some((one) => one.name === item.name)))
    items.push(...fresh.map(({ name, file }) => ({ ...about, name, file, sent: 0, state: "waiting", message: "", id: "" })))
    if (items.length && !tray.matches(":popover-open")) tray.showPopover()
    pump()
  }
  const show = () => { if (tray.matches(":popover-open")) tray.hidePopover(); else if (items.length) tray.showPopover() }
  const leave = (event) => { if (open("sending").length || open("waiting").length) event.preventDefault() }
  document.addEventListener("athena-upload", take)
  document.addEventListener("athena-uploads-show", show)
  window.addEventListener("beforeunload", leave)
  el.replaceChildren(tray)
  return () => {
    document.removeEventListener("athena-upload", take)
    document.removeEventListener("athena-uploads-show", show)
    window.removeEventListener("beforeunload", leave)
  }
}
