export function render({ model, el }) {
  const link = (tool) => h("a", { class: "tool", href: tool.search, "data-go": tool.search === "?" ? "" : tool.search,
    "data-athena": `tool-${tool.page || "workspace"}`, title: tool.label, "aria-label": tool.label,
    "aria-current": model.here === tool.page ? "page" : null }, icon(tool.icon, 20))
  // uploads are the browser's own: they are told here without asking the server
  let uploads = { total: 0 }
  const tray = () => h("button", { class: "tool", "data-athena": "tool-uploads", title: `Uploads: ${uploads.words}`, "aria-label": `Uploads: ${uploads.words}`,
    onclick: () => document.dispatchEvent(new CustomEvent("athena-uploads-show")) }, icon("upload", 20),
    uploads.busy || uploads.failed ? h("span", { class: uploads.failed ? "badge failed" : "badge", "data-athena": "badge-uploads" }, String(uploads.failed || uploads.busy)) : null,
    uploads.busy ? h("span", { class: "fill" }, h("i", { style: `width: ${Math.round(100 * uploads.fraction)}%` })) : null)
  let shown = h("span", { hidden: true })
  const follow = (event) => {
    uploads = event.detail
    const next = uploads.total ? tray() : h("span", { hidden: true })
    shown.replaceWith(next)
    shown = next
  }
  document.addEventListener("athena-uploads", follow)
  live(model, ["theme", "user", "here", "tools"], () => {
    const other = model.theme === "dark" ? "light" : "dark"
    const open = el.querySelector("details.user")?.open // who it is may be told while the menu is open
    el.replaceChildren(h("nav", { class: "bar", "aria-label": "Athena" },
      ...model.tools.filter((tool) => !tool.low).map(link),
      h("span", { class: "space" }),
      shown,
      ...model.tools.filter((tool) => tool.low).map(link),
      h("button", { class: "tool", "data-athena": "theme", title: `Switch to ${other}`, "aria-label": `Switch to ${other}`,
        onclick: () => { model.theme = other } }, icon(other, 20)),
      h("details", { class: "user", open, ...menuHands },
        h("summary", { class: "tool", title: model.user, "aria-label": `User ${model.user}`, "data-athena": "user" }, icon("user", 20)),
        h("div", { class: "menu" }, h("span", { class: "muted" }, "Logged in as"), h("strong", {}, model.user),
          h("a", { href: "?p=profile", "data-go": "", "data-athena": "profile-link", onclick: (event) => { shutMenu(event.currentTarget.closest("details")) } }, icon("user", 16), "Profile and tokens"),
          h("button", { class: "keys", "data-athena": "keys-link", onclick: (event) => { shutMenu(event.currentTarget.closest("details")); document.dispatchEvent(new CustomEvent("athena-keys")) } }, icon("keys", 16), "Keys", h("kbd", {}, "?")),
          model.log_out ? h("a", { href: model.log_out, "data-athena": "log-out" }, icon("exit", 16), "Log out") : null))))
  })
  return () => document.removeEventListener("athena-uploads", follow)
}
