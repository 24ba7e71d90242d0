function logo() {
  // a grid square with its holes, one of them lit
  const dots = [[8, 8], [16, 8], [8, 16], [16, 16]]
  return h("span", { html: `<svg viewBox="0 0 24 24" width="24" height="24"><rect x="2" y="2" width="20" height="20" rx="5" fill="none"
    stroke="var(--athena-accent)" stroke-width="1.8"/>${dots.map(([x, y], at) => `<circle cx="${x}" cy="${y}" r="2.4"
    fill="${at === 1 ? "var(--athena-accent)" : "var(--athena-muted)"}"/>`).join("")}</svg>` })
}

export function render({ model, el }) {
  live(model, ["crumbs"], () => {
    const last = model.crumbs.length - 1
    el.replaceChildren(h("nav", { class: "crumbs", "aria-label": "Breadcrumb", "data-athena": "breadcrumb" },
      h("a", { class: "logo", href: "?", "data-go": "", tabindex: "-1", "aria-hidden": "true" }, logo()),
      h("a", { class: "home", href: "?", "data-go": "", "data-athena": "home", title: "Home", "aria-label": "Home" }, icon("home")),
      model.crumbs.map((crumb, at) => [
        h("span", { class: "arrow" }, icon("chevron", 14)),
        h("a", { class: "crumb", href: crumb.search, "data-go": "", title: `${crumb.kind} ${crumb.name}`,
          "aria-current": at === last ? "page" : null },
          h("span", { class: "kind" }, crumb.kind), // names of micrographs differ at their end
          h("span", { class: crumb.kind === "Micrograph" ? "name ends" : "name" }, h("bdi", {}, crumb.name))),
      ]).flat()))
  })
}
