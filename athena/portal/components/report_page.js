function address(base64, type) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  return URL.createObjectURL(new Blob([bytes], { type }))
}

function print(src) {
  // a frame of its own holds nothing but the page, so that nothing of the portal is printed with it
  const frame = document.createElement("iframe")
  frame.style.cssText = "position:fixed;width:0;height:0;border:0"
  document.body.append(frame)
  const style = frame.contentDocument.createElement("style")
  style.textContent = "@page { size: A4; margin: 0 } body { margin: 0 } img { width: 100% }"
  frame.contentDocument.head.append(style)
  const picture = frame.contentDocument.createElement("img")
  picture.onload = () => {
    frame.contentWindow.onafterprint = () => frame.remove()
    frame.contentWindow.print()
  }
  picture.src = src
  frame.contentDocument.body.append(picture)
}

export function render({ model, el }) {
  let held = []
  const release = () => { for (const url of held) URL.revokeObjectURL(url) }
  live(model, ["svg", "pdf", "file", "made", "working", "problem"], () => {
    release()
    if (!model.svg) { held = []; el.replaceChildren(h("div", { class: "paper skeleton" })); return }
    const page = address(model.svg, "image/svg+xml")
    const pdf = address(model.pdf, "application/pdf")
    held = [page, pdf]
    el.replaceChildren(
      h("div", { class: "tools" }, h("span", { class: "muted" }, "As of ", clock(model.made)), h("span", { class: "push" }),
        h("span", { class: "muted", role: "status", "data-athena": "report-working" }, model.working ? "Executing the notebook…" : "Executed notebook:"),
        [["html", ".html", "HTML", "as a page"], ["printed", ".ipynb.pdf", "PDF", "printed, with code and outputs"], ["notebook", ".ipynb", ".ipynb", "to go on with"]].map(([hook, ending, word, how]) =>
          h("button", { class: "action", "data-athena": `report-${hook}`, disabled: model.working, title: `A notebook executed now, with its inputs and versions, ${how}`,
            onclick: () => model.send_msg({ do: "notebook", ending }) }, word)),
        h("span", { class: "gap" }),
        h("button", { class: "action", "data-athena": "report-print", onclick: () => print(page) }, "Print"),
        h("a", { class: "action primary", href: pdf, download: model.file, "data-athena": "report-pdf" }, "Save as PDF")),
      model.problem ? h("p", { class: "is-error", role: "alert", "data-athena": "report-problem" }, model.problem) : "",
      h("img", { class: "paper", src: page, alt: "Quality report", "data-athena": "report" }))
  })
  model.on("notebook", () => {
    const { data, file, type } = model.notebook
    if (!data) return
    const url = address(data, type)
    h("a", { href: url, download: file }).click()
    setTimeout(() => URL.revokeObjectURL(url), 60000)
  })
  return release
}
