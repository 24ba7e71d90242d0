const ROW_PX = 28
const SPARE_ROWS = 12
const whole = new Intl.NumberFormat("fr-FR")
const thin = new Intl.NumberFormat("en", { maximumFractionDigits: 1, useGrouping: false })
function sized(bytes) {
  let value = bytes
  for (const unit of ["B", "kB", "MB", "GB"]) { if (value < 1000) return `${thin.format(value)}\u2009${unit}`; value /= 1000 }
  return `${thin.format(value)}\u2009TB`
}

// only the rows that are looked at are in the page
function tableOf({ name, columns, rows }) {
  const widths = columns.map((label, at) => Math.min(40, Math.max(label.length, ...rows.slice(0, 200).map((row) => (row[at] ?? "").length)) + 2.5))
  const columnsCss = `64px ${widths.map((width) => `calc(${width}ch + 4px)`).join(" ")}`
  const numbers = columns.map((_, at) => rows.length > 0 && rows.slice(0, 50).every((row) => row[at] === undefined || row[at] === "" || Number.isFinite(Number(row[at]))))
  const line = (row, at) => h("div", { class: "cells", style: `grid-template-columns: ${columnsCss}`, role: "row" }, h("span", { class: "muted count", role: "rowheader" }, whole.format(at + 1)),
    columns.map((_, column) => h("span", { class: numbers[column] ? "number" : "", role: "cell", title: row[column] }, row[column] ?? "")))
  const head = h("div", { class: "cells head", style: `grid-template-columns: ${columnsCss}`, role: "row" }, h("span", { role: "columnheader", "aria-label": "Row" }), columns.map((label, at) => h("span", { class: numbers[at] ? "number" : "", role: "columnheader", title: label }, label)))
  const inner = h("div", { class: "inner", style: `height: ${rows.length * ROW_PX}px` })
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "table", "data-athena": "table" }, head, inner)
  const draw = () => {
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW_PX) - SPARE_ROWS)
    const end = Math.min(rows.length, first + Math.ceil((scroll.clientHeight || 600) / ROW_PX) + 2 * SPARE_ROWS)
    inner.replaceChildren(h("div", { class: "shown", style: `top: ${first * ROW_PX}px` }, rows.slice(first, end).map((row, at) => line(row, first + at))))
  }
  scroll.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true })
  draw()
  return h("section", { class: "table" }, h("p", { class: "muted" }, name ? h("strong", {}, `${name} `) : "", `${whole.format(rows.length)} row${rows.length === 1 ? "" : "s"}, ${columns.length} columns`), scroll)
}

export function render({ model, el }) {
  let held = ""
  let source = false
  const release = () => { if (held) URL.revokeObjectURL(held); held = "" }
  const refused = (text) => h("div", { class: "empty muted", "data-athena": "not-shown" }, text)

  function picture() {
    const image = h("img", { class: "picture", src: model.address, alt: model.file.name, title: "Click for full size", "data-athena": "picture",
      onclick: () => image.classList.toggle("is-full"), onerror: () => image.replaceWith(refused("This picture cannot be shown: it may be damaged. Download it to see more.")) })
    return h("div", { class: "paper" }, image)
  }
  function pdf() {
    if (!navigator.pdfViewerEnabled) return refused("This browser shows no PDF by itself: download it.")
    const frame = h("iframe", { class: "pdf", title: model.file.name, "data-athena": "pdf" })
    const shown = model.file.id
    // as a PDF whatever it claims to be: nothing of it runs as a page of this portal
    fetch(model.address).then(async (answer) => {
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
      const bytes = await answer.arrayBuffer()
      if (model.file.id !== shown) return
      release()
      held = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }))
      frame.src = held
    }).catch((error) => frame.replaceWith(refused(`This PDF cannot be shown: ${error.message}.`)))
    return frame
  }
  function text() {
    if (model.html && !source) return h("article", { class: "prose", "data-athena": "prose", html: model.html })
    return h("pre", { class: "text", tabindex: "0", "data-athena": "text" }, model.text)
  }
  // an order of links would not fit into a line
  function choice() {
    const links = h("nav", { hidden: true }, model.choices.map((one) => h("a", { href: one.search, "data-go": "" }, one.label)))
    const box = h("select", { class: "field", "aria-label": "Volume", "data-athena": "volume-choice", onchange: () => links.children[box.selectedIndex].click() },
      model.choices.map((one) => h("option", { selected: one.here }, one.label)))
    return [box, links]
  }
  const body = () => {
    if (model.problem) return refused(model.problem)
    switch (model.file.viewer) {
      case "picture": return picture()
      case "pdf": return pdf()
      case "table": return source || !model.tables.length ? h("pre", { class: "text", tabindex: "0", "data-athena": "text" }, model.text) : h("div", { class: "tables" }, model.tables.map(tableOf))
      case "text": return text()
      case "image":
      case "volume": return ""
      default: return refused("There is no viewer for files of this kind. Download it to open it elsewhere.")
    }
  }
  let opened = ""
  live(model, ["file", "address", "back", "text", "html", "tables", "choices", "other", "cut", "problem"], () => {
    const file = model.file
    if (file.id !== opened) { source = false; opened = file.id }
    release()
    if (!file.id) { el.replaceChildren(); return }
    const name = file.name.split("/").pop()
    const draw = () => {
      const other = file.viewer === "table" ? model.tables.length > 0 : Boolean(model.html)
      el.replaceChildren(h("section", { class: "file", "data-athena": "open-file", "data-viewer": file.viewer },
        h("header", {},
          h("a", { class: "icon-button", href: model.back, "data-go": "", title: "Back to the files", "aria-label": "Back to the files", "data-athena": "file-back" }, icon("back")),
          h("div", { class: "titles" }, h("h2", { "data-athena": "open-file-name" }, name),
            file.kind && h("p", { class: "muted" }, `${file.kind} · ${file.size === null ? "" : `${sized(file.size)} · `}${file.creator} · `, clock(file.created), file.folder ? ` · in ${file.folder}` : "", model.cut ? " · only its beginning is shown" : "")),
          h("span", { class: "push" }),
          model.choices.length > 1 ? choice() : "",
          model.other.search ? h("a", { class: "action", href: model.other.search, "data-go": "", "data-athena": "file-other" }, model.other.label) : "",
          other ? h("button", { class: "action", "data-athena": "file-source", onclick: () => { source = !source; draw() } }, source ? "As a page" : "As text") : "",
          !model.address ? "" : h("a", { class: "action", href: model.address, download: name, "data-athena": "open-file-download" }, "Download")),
        body(),
        file.sha256 && !["image", "volume"].includes(file.viewer) ? h("p", { class: "muted sum" }, `On storage ${file.storage} · SHA-256 ${file.sha256}`) : ""))
    }
    draw()
  })
  return release
}
