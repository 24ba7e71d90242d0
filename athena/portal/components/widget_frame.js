export function render({ model, el }) {
  const traits = { ...model.traits }
  const kept = (name) => `athena-${model.module}-${name}`
  for (const name of model.remembered) {
    const choice = localStorage.getItem(kept(name))
    // what is given was asked for, by an address say: it goes before what was chosen some other time
    if (choice === null || name in traits) continue
    traits[name] = JSON.parse(choice)
    model.send_msg({ trait: name, value: traits[name] })
  }
  const hearers = new Map()
  const dirty = new Set()
  const tell = (name) => { for (const hear of [...(hearers.get(`change:${name}`) ?? [])]) hear() }
  const shim = {
    get: (name) => traits[name],
    set: (name, value) => { if (traits[name] === value) return; traits[name] = value; dirty.add(name); tell(name) },
    save_changes: () => {
      for (const name of dirty) {
        if (model.remembered.includes(name)) localStorage.setItem(kept(name), JSON.stringify(traits[name]))
        model.send_msg({ trait: name, value: traits[name] })
        if (model.momentary.includes(name)) traits[name] = -1
      }
      dirty.clear()
    },
    on: (name, hear) => { if (!hearers.has(name)) hearers.set(name, new Set()); hearers.get(name).add(hear) },
    off: (name, hear) => { if (hear) hearers.get(name)?.delete(hear); else hearers.delete(name) },
    send: () => {},
  }
  const host = h("div", { class: "host" })
  // a root of its own: Panel's style sheets (their .error, their .loading) must not reach into the widget
  const inside = h("div", { style: "height: 100%" })
  host.attachShadow({ mode: "open" }).append(inside)
  const failed = h("p", { class: "muted", role: "alert" })
  el.replaceChildren(host)
  const fit = () => { const tall = Math.floor(el.clientHeight); if (tall > 0 && traits.height !== tall) { traits.height = tall; tell("height") } }
  const watcher = new ResizeObserver(fit)
  watcher.observe(el)
  fit()
  // only what the server changed: what was chosen here meanwhile (the marked item) stays
  const same = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other)
  const take = (name, value) => { if (!same(traits[name], value)) { traits[name] = value; tell(name) } }
  let given = model.traits
  model.on("traits", () => {
    const before = given
    given = model.traits
    for (const [name, value] of Object.entries(given)) {
      if (name !== "height" && !same(before[name], value)) take(name, value)
    }
  })
  let pushed = model.pushes
  model.on("pushes", () => {
    const before = pushed
    pushed = model.pushes
    for (const [name, times] of Object.entries(pushed)) if (before[name] !== times) take(name, model.traits[name])
  })
  let leave = null
  let gone = false
  import(new URL(model.module, document.baseURI).href).then(async (module) => {
    const widget = typeof module.default === "function" ? await module.default() : module.default
    await widget.initialize?.({ model: shim })
    if (!gone) leave = await widget.render({ model: shim, el: inside })
  }).catch((error) => { failed.textContent = `This view could not be loaded: ${error.message}`; el.append(failed) })
  return () => { gone = true; watcher.disconnect(); if (typeof leave === "function") leave() }
}
