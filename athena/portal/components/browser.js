export function render({ model, el }) {
  el.style.display = "none"
  const go = (search) => {
    if (search === location.search) return
    history.pushState({}, "", search || location.pathname)
    model.search = location.search
  }
  const click = (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.composedPath().find((node) => node.dataset && node.dataset.go !== undefined)
    if (!link) return
    event.preventDefault()
    go(link.search)
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
  const page = (search) => ["p", "e", "tab", "i"].map((name) => new URLSearchParams(search).get(name) ?? "").join(" ").trim()
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
