const WORDS = {
  wait: ["Connecting…", "Waiting for the first answer"],
  up: ["Live", "Changes show by themselves"],
  down: ["No connection", "The API does not answer; what you see may be old. Trying again."],
}
export function render({ model, el }) {
  live(model, ["link"], () => {
    const [word, hint] = WORDS[model.link]
    el.replaceChildren(h("span", { class: `live ${model.link}`, title: hint, role: "status", "data-athena": "live", "data-link": model.link },
      h("i", {}), word))
  })
}
