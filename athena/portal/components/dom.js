// Prepended to every component's script: elements, icons and status marks.

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (name === "html") element.innerHTML = value
    else element.setAttribute(name, value === true ? "" : value)
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""))
  return element
}

const STROKES = {
  home: "M4 11 12 4l8 7M6 9.5V20h4.5v-6h3v6H18V9.5",
  workspace: "M4 5h6v6H4zM14 5h6v6h-6zM4 15h6v4H4zM14 15h6v4h-6z",
  folder: "M3 6h6l2 2.5h10V19H3z",
  workflow: "M5 5h5v4H5zM14 10h5v4h-5zM5 15h5v4H5zM10 7h3v10h-3M13 12h1",
  step: "M5 6h14M5 12h14M5 18h9",
  dataset: "M4 7c0-4 16-4 16 0v10c0 4-16 4-16 0zM4 7c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
  micrograph: "M4 4h16v16H4zM9 9.5a1.5 1.5 0 1 0 .01 0M15 15a2 2 0 1 0 .01 0M15.500 8.500a1 1 0 1 0 .01 0",
  dark: "M19 14.500A7.500 7.500 0 0 1 9.500 5 7.500 7.500 0 1 0 19 14.500z",
  light: "M12 8a4 4 0 1 0 .01 0M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400",
  user: "M12 4.500a3.500 3.500 0 1 0 .01 0M5 20c0-4 3-6 7-6s7 2 7 6",
  chevron: "m9 6 6 6-6 6",
  back: "m15 6-6 6 6 6",
  cards: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  list: "M4 6h16M4 12h16M4 18h16",
  panel: "M4 5h16v14H4zM9 5v14",
  exit: "M14 5H5v14h9M10 12h10M17 9l3 3-3 3",
  warning: "M12 4 3 20h18zM12 10v4M12 17v.01",
  copy: "M9 9h10v11H9zM5 15V4h10",
}

function icon(name, size = 18) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  const settings = { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor",
    "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }
  for (const [key, value] of Object.entries(settings)) svg.setAttribute(key, value)
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", STROKES[name] ?? STROKES.dataset)
  svg.append(path)
  return svg
}

const STATUS = {
  completed: ["●", "Completed"], in_progress: ["◐", "In progress"], error: ["▲", "Error"], warning: ["!", "Warning"],
  suspended: ["‖", "Suspended"], not_started: ["○", "Not started"],
}

function mark(status) {
  const [shape, label] = STATUS[status] ?? STATUS.not_started
  return h("span", { class: `mark is-${status}`, title: label, role: "img", "aria-label": label }, shape)
}

function clock(iso) {
  if (!iso) return null
  const time = new Date(iso)
  const day = time.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "short", year: "numeric" }
  const shown = time.toLocaleString(undefined, { ...day, hour: "2-digit", minute: "2-digit", hour12: false })
  return h("time", { datetime: iso, title: time.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }) }, shown)
}

// draws now and again whenever one of the component's properties changes, once a frame
function live(model, names, draw) {
  let asked = false
  const redraw = () => { asked = false; draw() }
  for (const name of names) model.on(name, () => { if (!asked) { asked = true; requestAnimationFrame(redraw) } })
  draw()
}
