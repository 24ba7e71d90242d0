export function render({ model, el }) {
  el.style.display = "none"
  const page = (search) => ["p", "e", "tab", "i"].map((name) => new URLSearchParams(search).get(name) ?? "").join(" ").trim()
  const go = (search) => {
    if (search === location.search) return
    history.pushState({}, "", search || location.pathname)
    model.search = location.search
  }
  // what a link changes of the address it was drawn for, done to the present one: the page may not have been drawn since
  const changed = (from, to) => {
    if (page(from) !== page(location.search)) return to
    const [before, after, now] = [from, to, location.search].map((search) => new URLSearchParams(search))
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const value = after.get(name)
      if (value === before.get(name)) continue
      if (value === null) now.delete(name)
      else now.set(name, value)
    }
    return `?${now}`
  }
  const click = (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.composedPath().find((node) => node.dataset && node.dataset.go !== undefined)
    if (!link) return
    event.preventDefault()
    go(link.dataset.from === undefined ? link.search : changed(link.dataset.from, link.search))
  }
  const key = (event) => {
    if (event.key !== "/" || event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
    const from = event.composedPath()[0]
    if (from.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(from.tagName)) return
    event.preventDefault()
    go("?p=search")
  }
  const back = () => { model.search = location.search }
  document.addEventListener("click", click)
  document.addEventListener("keydown", key)
  window.addEventListener("popstate", back)
  // a place without a query has the address "?": both name the roots; the same page with other options is no step back
  model.on("search", () => {
    const wanted = model.search === "?" ? "" : model.search
    if (wanted === location.search) return
    const same = page(wanted) && page(wanted) === page(location.search)
    history[same ? "replaceState" : "pushState"]({}, "", wanted || location.pathname)
  })
  const entitle = () => { document.title = model.title }
  const paint = () => {
    document.documentElement.dataset.theme = model.theme
    document.cookie = `${model.cookie}=${model.theme}; path=/; max-age=31536000; samesite=lax`
  }
  model.on("title", entitle)
  model.on("theme", paint)
  entitle()
  document.documentElement.dataset.theme = model.theme
  return () => {
    document.removeEventListener("click", click)
    document.removeEventListener("keydown", key)
    window.removeEventListener("popstate", back)
  }
}
