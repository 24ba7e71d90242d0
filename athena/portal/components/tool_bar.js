export function render({ model, el }) {
  live(model, ["theme", "user", "home"], () => {
    const other = model.theme === "dark" ? "light" : "dark"
    el.replaceChildren(h("nav", { class: "bar", "aria-label": "Athena" },
      h("a", { class: "tool", href: "?", "data-go": "", "data-athena": "tool-workspace", title: "Workspace",
        "aria-label": "Workspace", "aria-current": model.home ? "page" : null }, icon("workspace", 20)),
      h("span", { class: "space" }),
      h("button", { class: "tool", "data-athena": "theme", title: `Switch to ${other}`, "aria-label": `Switch to ${other}`,
        onclick: () => { model.theme = other } }, icon(other, 20)),
      h("details", { class: "user" },
        h("summary", { class: "tool", title: model.user, "aria-label": `User ${model.user}`, "data-athena": "user" }, icon("user", 20)),
        h("div", { class: "menu" }, h("span", { class: "muted" }, "Logged in as"), h("strong", {}, model.user),
          model.log_out ? h("a", { href: model.log_out, "data-athena": "log-out" }, icon("exit", 16), "Log out") : null))))
  })
}
