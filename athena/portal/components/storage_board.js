const WORDS = { stable: "Answers", down: "Does not answer", unknown: "Not looked at yet" }
const FOR = {
  primary: "What people upload, and the results of processing.",
  acquisition: "What microscopes write. Athena only reads there.",
  export: "Where exports go.",
  archive: "Where archived files go.",
}

function details(one) {
  return [
    ["State", WORDS[one.state] ?? one.state], ["Files of Athena", number.format(one.files)], ["Kept by Athena", size(one.used)],
    one.quota !== null ? ["Allowed for Athena", size(one.quota)] : null, one.total !== null ? ["Device", size(one.total)] : null,
    one.free !== null ? ["Free", size(one.free)] : null, one.url ? ["Address", one.url] : null,
    ...Object.entries(one.options), one.secrets.length ? ["Kept secret", one.secrets.join(", ")] : null,
  ].filter(Boolean)
}

const pairs = (options) => Object.entries(options).map(([name, value]) => `${name} = ${value}`).join("\n")
const OPTIONS = { name: "options", label: "Options, one a line", type: "textarea", placeholder: "endpoint = https://s3.example.org", hint: "How an object store is reached: endpoint, region, access_key_id, secret_access_key." }
const quotaField = (one) => ({ name: "quota", label: "Room for Athena's files, GB", type: "number", min: 0, step: "any", value: one?.quota ? one.quota / 1e9 : "", hint: "Empty: no bound." })

export function render({ model, el }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true })
  const body = h("div", { class: "board", "data-athena": "storages" })
  const add = () => askDialog(model, el, { label: "Connect a storage", action: "Connect", send: (values) => model.send_msg({ do: "add", values }), fields: [
    { name: "name", label: "Name", required: true, maxlength: 100 },
    { name: "role", label: "For", type: "select", value: "primary", options: Object.entries(STORAGE_ROLES) },
    { name: "url", label: "Address", required: true, placeholder: "file:///data/athena or s3://bucket/folder" }, OPTIONS, quotaField(null),
    { name: "chosen", label: "New files of this kind go there from now on", type: "checkbox" }] })
  const change = (one) => askDialog(model, el, { label: `Change “${one.name}”`, action: "Save", send: (values) => model.send_msg({ do: "change", id: one.id, values }), fields: [
    { name: "name", label: "Name", required: true, maxlength: 100, value: one.name }, quotaField(one),
    { ...OPTIONS, value: pairs(one.options), hint: `${OPTIONS.hint} A name with nothing after “=” is removed.` }] })
  const remove = (one) => askDialog(model, el, { label: `Disconnect “${one.name}”`, action: "Disconnect", danger: true, send: () => model.send_msg({ do: "remove", id: one.id }),
    text: "Only a storage that holds nothing of Athena's can be disconnected. What lies there is not touched." })
  const menu = (one) => menuOf(one.name, [
    ["check", "Look now", () => model.send_msg({ do: "check", id: one.id })],
    one.chosen || one.role === "acquisition" ? null : ["choose", "Use for new files", () => model.send_msg({ do: "choose", id: one.id })],
    ["change", "Change…", () => change(one)], one.chosen ? null : ["remove", "Disconnect…", () => remove(one), true]])
  const card = (one) => {
    const { share, words } = storageUse(one)
    const facts = details(one)
    return h("article", { class: "storage", "data-athena": "storage", "data-name": one.name, "data-state": one.state, title: facts.map(([name, value]) => `${name}: ${value}`).join("\n") },
      h("div", { class: "head" }, mark(STORAGE_MARKS[one.state]), h("h2", {}, one.name),
        one.chosen ? h("span", { class: "tag is-completed", "data-athena": "chosen" }, "for new files") : null, h("span", { class: "space" }), model.manage ? menu(one) : null),
      h("p", { class: "muted" }, h("strong", {}, STORAGE_ROLES[one.role]), ". ", FOR[one.role]),
      one.state === "down" ? h("p", { class: "is-error" }, one.message || "It does not answer.") : null,
      share === null ? null : meter(one.name, share, words), h("p", {}, words),
      h("dl", {}, facts.map(([name, value]) => h("div", {}, h("dt", { class: "muted" }, name), h("dd", {}, value)))),
      h("p", { class: "muted" }, one.checked ? ["Looked at ", clock(one.checked)] : "Not looked at yet"))
  }
  el.replaceChildren(problem, body)
  live(model, ["storages", "manage"], () => body.replaceChildren(
    h("div", { class: "topline" }, h("p", { class: "muted" }, "Looked at every five minutes."),
      model.manage ? h("button", { class: "action primary", "data-athena": "storage-add", onclick: add }, "Connect storage") : null),
    model.storages.length ? "" : h("p", { class: "empty muted", "data-athena": "empty" }, "No storage is connected. An administrator connects one here."),
    model.storages.length ? h("div", { class: "storages" }, model.storages.map(card)) : ""))
  model.on("problem", () => { problem.textContent = model.problem; problem.hidden = !model.problem || Boolean(body.parentNode.querySelector("dialog")) })
}
