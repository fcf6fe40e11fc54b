// What the pages can do without, and are nicer with: times in the reader's zone, and a desk's progress.
"use strict";

const ASK_AGAIN = 150; // milliseconds between two questions about a desk that opens

for (const time of document.querySelectorAll("time[data-local]")) {
  const moment = new Date(time.dateTime);
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  time.title = time.textContent;
  time.textContent = shown.format(moment);
}

const desk = document.querySelector("[data-poll]");
if (desk && !["failed", "ended"].includes(desk.dataset.state)) watch(desk);

function watch(panel) {
  const message = panel.querySelector("[data-role=message]");
  const again = panel.querySelector("[data-role=again]");
  const go = panel.querySelector("[data-role=go]");
  const began = Date.now();
  const order = ["none", "granted", "running"];

  function mark(state) {
    panel.dataset.state = state;
    for (const step of panel.querySelectorAll("[data-step]")) {
      const at = order.indexOf(step.dataset.step);
      const now = order.indexOf(state);
      step.className = at < now ? "past" : at === now ? "now" : "";
    }
  }

  function say(sentence) {
    if (message.textContent !== sentence) message.textContent = sentence;
  }

  async function ask() {
    let told;
    try {
      const answer = await fetch(panel.dataset.poll, {
        headers: { Accept: "application/json", "X-Vitrine-Form": panel.dataset.formToken },
        cache: "no-store",
      });
      told = await answer.json();
      if (!answer.ok) told = { state: "ended", message: told.error.message, reason: told.error.code };
    } catch {
      say(panel.dataset.lost);
      setTimeout(ask, 2000);
      return;
    }
    mark(told.state);
    if (told.reason) message.dataset.reason = told.reason;
    if (told.state === "running") {
      say(told.message);
      go.href = told.url;
      go.hidden = false;
      location.replace(told.url);
      return;
    }
    if (told.state === "ended") {
      say(told.message);
      if (again) again.hidden = false;
      return;
    }
    const slow = Date.now() - began > 45000;
    say(slow ? panel.dataset.slow : told.message);
    if (slow && again) again.hidden = false;
    setTimeout(ask, slow ? 2000 : ASK_AGAIN);
  }

  mark(panel.dataset.state);
  ask();
}

// A request's form: says at once that a level is finer than the default, and searches the dictionary as one types.
for (const row of document.querySelectorAll("[data-column]")) {
  const level = row.querySelector("[data-level]");
  const show = () => {
    const finer = level.selectedOptions[0]?.hasAttribute("data-finer") ?? false;
    row.classList.toggle("finer", finer);
    row.querySelector("[data-warning]").hidden = !finer;
    row.querySelector("[data-needed]").hidden = !finer;
    row.querySelector("[data-justification]").required = finer;
  };
  level.addEventListener("change", show);
}

for (const search of document.querySelectorAll("[data-find]")) {
  const offers = [...search.closest("aside").querySelectorAll("[data-offer]")];
  const plain = (text) => text.normalize("NFKD").replace(/\p{Diacritic}/gu, "").toLowerCase();
  const texts = offers.map((offer) => plain(offer.querySelector("span").textContent));
  search.addEventListener("input", () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    offers.forEach((offer, n) => (offer.hidden = !words.every((word) => texts[n].includes(word))));
  });
}

const form = document.querySelector("[data-request-form]");
if (form) {
  let changed = form.querySelector("[data-unsaved]") !== null;
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  window.addEventListener("beforeunload", (event) => changed && event.preventDefault());
}

for (const panel of document.querySelectorAll("[data-extract-url]")) attend(panel);

// An extract that waits or is being made: its bar moves, and what depends on it is read again when it changes.
function attend(panel) {
  const told = panel.querySelector("[data-told]");
  const headers = { "X-Vitrine-Form": panel.dataset.formToken };
  let waits;
  async function replace() {
    const answer = await fetch(location.href, { headers: { ...headers, Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector(`[data-extract-url="${panel.dataset.extractUrl}"]`);
    if (!answer.ok || !found) return;
    panel.dataset.state = found.dataset.state;
    const body = found.querySelector("[data-extract-body]");
    panel.querySelector("[data-extract-body]").replaceWith(document.adoptNode(body));
  }
  async function ask() {
    let pause = 5000;
    try {
      const answer = await fetch(panel.dataset.extractUrl, {
        headers: { ...headers, Accept: "application/json" },
        cache: "no-store",
      });
      if (answer.status === 403 || answer.status === 404) return;
      const now = await answer.json();
      if (answer.ok) {
        if (now.state !== panel.dataset.state || (waits !== undefined && waits !== now.waits)) {
          await replace();
          if (told.textContent !== now.message) told.textContent = now.message;
        }
        waits = now.waits;
        if (now.done && now.state === panel.dataset.state) return;
        if (now.state === "EXTRACTING") {
          pause = 1000;
          const share = Math.round(now.progress * 100);
          const bar = panel.querySelector(".extracting progress");
          if (bar) {
            bar.value = share;
            panel.querySelector(".extracting .num").textContent = `${share} %`;
          }
        }
      }
    } catch {
      // The portal does not answer for the moment: asked again below.
    }
    setTimeout(ask, pause);
  }
  ask();
}

const estimating = document.querySelector("[data-estimate]");
if (estimating) follow(estimating.closest("[data-estimate-url]"));

function follow(panel) {
  const bar = panel.querySelector("progress");
  const words = panel.querySelector("[role=status] .state > span");
  const headers = { "X-Vitrine-Form": panel.dataset.formToken };
  // Only the panel is replaced: what is being written in the page around it stays.
  async function replace() {
    const answer = await fetch(location.pathname, { headers: { ...headers, Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("[data-estimate-url]");
    if (answer.ok && found) panel.replaceWith(document.adoptNode(found));
  }
  async function ask() {
    try {
      const answer = await fetch(panel.dataset.estimateUrl, {
        headers: { ...headers, Accept: "application/json" },
        cache: "no-store",
      });
      const told = await answer.json();
      if (answer.ok && told.done) return await replace();
      bar.value = told.progress ?? bar.value;
      if (told.message && words.textContent !== told.message) words.textContent = told.message;
    } catch {
      // The portal does not answer for the moment: asked again below.
    }
    setTimeout(ask, 1000);
  }
  ask();
}
