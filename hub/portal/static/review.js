// The checker's page by keys, and what stands behind a number beside its cell. Without this script every
// finding, file, difference and vote is still reached by links, and the units are shown by a tick.
"use strict";

const SWITCH = "vitrine-keys";
const findings = [...document.querySelectorAll(".finding")];
const sheets = [...document.querySelectorAll("table[data-cells]")].filter((table) => table.tBodies[0]);
let at = -1;

function shownCell(id) {
  const place = document.getElementById(id);
  if (!place) return null;
  place.scrollIntoView({ block: "nearest", inline: "nearest" });
  return place;
}

function toFinding(step) {
  if (!findings.length) return;
  at = at < 0 ? (step > 0 ? 0 : findings.length - 1) : (at + step + findings.length) % findings.length;
  const finding = findings[at];
  finding.focus({ preventScroll: true });
  finding.scrollIntoView({ block: "nearest" });
  for (const old of document.querySelectorAll(".pointed")) old.classList.remove("pointed");
  const link = finding.querySelector("[data-target]");
  const place = link && shownCell(link.dataset.target);
  if (place) place.classList.add("pointed");
}

// Beside a cell: what its hidden words say, on hover and on focus; Escape hides it.
const beside = document.createElement("div");
beside.className = "beside";
beside.hidden = true;
beside.setAttribute("aria-hidden", "true"); // the cell itself says the same
document.body.append(beside);
let open = null;

function show(cell) {
  const words = [...cell.querySelectorAll(".behind, .said")].map((part) => part.textContent);
  if (!words.length) return hide();
  beside.replaceChildren(...words.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  beside.hidden = false;
  const box = cell.getBoundingClientRect();
  const card = beside.getBoundingClientRect();
  const below = box.bottom + 6 + card.height < innerHeight;
  beside.style.left = `${Math.max(8, Math.min(box.left, innerWidth - card.width - 8))}px`;
  beside.style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - card.height - 6)}px`;
  open = cell;
}

function hide() {
  beside.hidden = true;
  open = null;
}

// One stop of the tab key for each table; the arrows move inside it.
function attend(sheet) {
  const rows = [...sheet.tBodies[0].rows].map((row) => [...row.cells].filter((cell) => cell.matches("td")));
  const places = new Map();
  rows.forEach((row, r) => row.forEach((cell, c) => places.set(cell, [r, c])));
  for (const cell of places.keys()) {
    cell.tabIndex = -1;
    if (cell.querySelector(".said")) cell.removeAttribute("title"); // said beside it, by keys too
  }
  let stop = places.keys().next().value;
  if (stop) stop.tabIndex = 0;
  const move = (cell) => {
    if (!cell) return;
    stop.tabIndex = -1;
    stop = cell;
    stop.tabIndex = 0;
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    show(cell);
  };
  sheet.addEventListener("focusin", (event) => show(event.target.closest("td") ?? sheet));
  sheet.addEventListener("focusout", hide);
  sheet.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td");
    if (cell) show(cell);
  });
  sheet.addEventListener("pointerleave", hide);
  sheet.closest(".scroll").addEventListener("scroll", () => open && show(open), { passive: true });
  sheet.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = places.get(cell);
    const next = {
      ArrowUp: () => rows[row - 1]?.[column],
      ArrowDown: () => rows[row + 1]?.[column],
      ArrowLeft: () => rows[row][column - 1],
      ArrowRight: () => rows[row][column + 1],
      Home: () => rows[row][0],
      End: () => rows[row].at(-1),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    move(next());
  });
}
sheets.forEach(attend);

// Into the first table; from a table into the next.
function intoTable() {
  const from = sheets.indexOf(document.activeElement?.closest("table[data-cells]"));
  const stop = sheets[(from + 1) % sheets.length]?.querySelector("td[tabindex='0']");
  if (stop) focusOn(stop, "nearest");
}

// What is being written stays while one looks at another file, page or difference: in this tab only, for this
// person only, until the vote or the remark is in.
const vote = document.querySelector("[data-draft]");
if (vote) keepDrafts(vote.dataset.person, vote.dataset.draft);

function keepDrafts(person, submission) {
  const own = `vitrine-draft:${person}:`;
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("vitrine-draft:") && !key.startsWith(own)) sessionStorage.removeItem(key);
    }
    const form = document.getElementById("vote-form");
    if (form) {
      keep(form, `${own}${submission}:vote`, form.hasAttribute("data-kept"));
      keepOutputs(form, `${own}${submission}:outputs`);
    } else {
      for (const part of ["vote", "outputs"]) sessionStorage.removeItem(`${own}${submission}:${part}`);
    }
    const position = document.querySelector("#remark-form [name=file]").value;
    const remarked = new URLSearchParams(location.search).get("done") === "remarked";
    keep(document.getElementById("remark-form"), `${own}${submission}:remark-${position}`, remarked);
  } catch {
    // A browser that keeps nothing: what is written is lost with the page.
  }
}

// Outputs of notebooks that were named on a page stay named on every other: what is withheld must not depend on
// where the vote is cast. Names are <file>-<cell>-<output>, from 0.
function keepOutputs(form, key) {
  const list = document.getElementById("elsewhere");
  if (!list) return;
  const position = form.elements.file.value;
  const ticks = [...document.querySelectorAll("input[name=output]")];
  const brought = [...list.querySelectorAll("input:checked"), ...ticks.filter((tick) => tick.checked)];
  const nameOf = (tick) => (tick.name === "output" ? `${position}-${tick.value}` : tick.value);
  const named = new Set(JSON.parse(sessionStorage.getItem(key) ?? JSON.stringify(brought.map(nameOf))));
  const save = () => sessionStorage.setItem(key, JSON.stringify([...named]));
  for (const tick of ticks) tick.checked = named.has(nameOf(tick));
  const here = new Set(ticks.map(nameOf));
  const others = [...named].filter((name) => !here.has(name)).sort();
  const lines = others.map((name) => {
    const [file, cell, output] = name.split("-").map(Number);
    const title = document.querySelector(`[data-testid="file-${file}"] .breaking`)?.textContent ?? file + 1;
    const said = `${title}, ${list.dataset.cell} ${cell + 1}, ${list.dataset.output} ${output + 1}`;
    const line = Object.assign(document.createElement("p"), { className: "check" });
    const tick = Object.assign(document.createElement("input"), {
      type: "checkbox", id: `withhold-${name}`, name: "withhold", value: name, checked: true,
    });
    line.append(tick, Object.assign(document.createElement("label"), { htmlFor: tick.id, textContent: said }));
    return line;
  });
  const set = Object.assign(document.createElement("fieldset"), { className: "field" });
  set.append(Object.assign(document.createElement("legend"), { textContent: list.dataset.legend }), ...lines);
  list.replaceChildren(...(lines.length ? [set] : []));
  for (const tick of [...ticks, ...list.querySelectorAll("input")]) {
    tick.addEventListener("change", () => {
      if (tick.checked) named.add(nameOf(tick));
      else named.delete(nameOf(tick));
      save();
    });
  }
  save();
}

// `fresh`: what the page brings holds, not what was kept.
function keep(form, key, fresh) {
  const fields = [...form.elements].filter(
    (field) => field.name && !["output", "withhold"].includes(field.name) && field.matches("textarea, input:not([type=hidden])"),
  );
  const names = (field) => (field.type === "checkbox" ? `${field.name}=${field.value}` : field.name);
  const kept = fresh ? {} : JSON.parse(sessionStorage.getItem(key) ?? "{}");
  for (const field of fields) {
    const value = kept[names(field)];
    if (field.type === "checkbox") field.checked = value ?? field.checked;
    else field.value = value ?? field.value;
  }
  const save = () => {
    const values = fields.map((field) => [names(field), field.type === "checkbox" ? field.checked : field.value]);
    sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(values)));
  };
  if (fresh) save();
  form.addEventListener("input", save);
}

// Keys
const help = document.getElementById("keys");
const on = document.getElementById("keys-on");
if (on) {
  on.parentElement.hidden = false;
  on.checked = stored() !== "off";
  on.addEventListener("change", () => store(on.checked ? "on" : "off"));
}

function stored() {
  try {
    return localStorage.getItem(SWITCH);
  } catch {
    return null;
  }
}

function store(value) {
  try {
    localStorage.setItem(SWITCH, value);
  } catch {
    // A browser that keeps nothing: the choice holds for this page.
  }
}

function follow(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.matches("a")) target.click();
  else focusOn(target);
  return true;
}

function focusOn(element, block = "center") {
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block });
}

function remark() {
  const cell = document.activeElement?.closest("td[data-at-row]");
  const at = cell ? { ...cell.closest("table").dataset, ...cell.dataset } : {};
  const named = { cell: at.atCell, output: at.atOutput, table: at.atTable, row: at.atRow, column: at.atColumn };
  for (const [name, number] of Object.entries(named)) {
    const field = document.getElementById(`remark-${name}`);
    if (field) field.value = number ?? "";
  }
  focusOn(document.getElementById("remark"));
}

const keys = {
  j: () => toFinding(1),
  k: () => toFinding(-1),
  n: () => follow("n"),
  p: () => follow("p"),
  d: () => follow("d"),
  v: () => follow("v"),
  g: intoTable,
  u: () => document.getElementById("show-behind")?.click(),
  c: remark,
  t: () => {
    const tick = document.querySelector(".vote input[type='checkbox']:not(:checked)");
    if (tick) focusOn(tick);
    else follow("a");
  },
  a: () => follow("a"),
  r: () => follow("r"),
  x: () => follow("x"),
  "?": () => {
    help.open = true;
    focusOn(help.querySelector("summary"));
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    hide();
    if (event.target.matches("input, textarea, select")) event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || (on && !on.checked)) return;
  if (event.target.matches("textarea, select, input:not([type=checkbox], [type=radio])")) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
