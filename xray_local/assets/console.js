// What every page has: keys, the theme, and refreshing of what is marked with data-live.

const POLL_BREAK_MS = 1000;
let prefix = "";

chooseTheme();
document.addEventListener("keydown", pressKey);
document.addEventListener("click", click);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
if (document.body.dataset.refresh) follow(Number(document.body.dataset.refresh) * 1000);

function chooseTheme() {
  const root = document.documentElement;
  const choices = document.querySelectorAll("[data-theme-choice]");
  const show = () => choices.forEach((each) => (each.value = root.dataset.theme ?? "auto"));
  show();
  for (const choice of choices) {
    choice.addEventListener("change", () => {
      if (choice.value === "auto") {
        delete root.dataset.theme;
        localStorage.removeItem("theme");
      } else {
        root.dataset.theme = choice.value;
        localStorage.setItem("theme", choice.value);
      }
      show();
    });
  }
}

function click(event) {
  const opener = event.target.closest("[data-opens=keys]");
  if (opener) showKeys();
  for (const open of document.querySelectorAll("details.popover[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
}

function pressKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return closeWhatIsOpen(event);
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const keys = prefix ? `${prefix} ${event.key}` : event.key;
  prefix = "";
  const target = document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
  if (keys === "g") prefix = "g";
  else if (keys === "?") showKeys();
  else if (keys === "/") document.querySelector("input[type=search]")?.focus();
  else if (keys === "j" || keys === "k") moveRow(keys === "j" ? 1 : -1);
  else if (target) target.matches("input") ? target.focus() : target.click();
  else return;
  event.preventDefault();
}

// Those that do something here.
function showKeys() {
  const dialog = document.getElementById("keys");
  for (const key of dialog.querySelectorAll("[data-needs]")) {
    key.hidden = document.querySelector(key.dataset.needs) === null;
  }
  dialog.showModal();
}

function isTyping(element) {
  return element.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

function closeWhatIsOpen(event) {
  prefix = "";
  const popover = document.querySelector("details.popover[open]");
  if (popover) {
    popover.open = false;
    popover.querySelector("summary").focus();
  } else if (isTyping(event.target)) {
    event.target.blur();
  }
}

// Rows are marked with data-row; in each, the first link or button is what opens it.
function moveRow(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const current = rows.findIndex((row) => row.contains(document.activeElement));
  const next = current < 0 ? (step > 0 ? 0 : rows.length - 1) : current + step;
  const target = rows[next]?.querySelector("a[href], button, summary");
  if (target === undefined || target === null) return;
  target.focus({ preventScroll: true });
  rows[next].scrollIntoView({ block: "nearest" });
}

// The same page is asked for again, and each element that has data-live and an id becomes like its
// new self; what has focus, is open or is selected stays so.
async function follow(period) {
  for (;;) {
    await sleep(period);
    while (isResting()) await sleep(POLL_BREAK_MS);
    try {
      await refresh();
      sayLive(true);
    } catch {
      sayLive(false);
    }
  }
}

function sayLive(isReached) {
  document.body.dataset.state = isReached ? "" : "stale";
  const words = document.querySelector(".live [aria-live]");
  const text = isReached ? "Live" : "Live, but no answer";
  if (words && words.textContent !== text) words.textContent = text;
}

export async function refresh() {
  const response = await fetch(location.href, { headers: { "HX-Request": "true" } });
  if (!response.ok) throw new Error(`The answer was ${response.status}.`);
  const text = await response.text();
  for (const target of document.querySelectorAll("[data-live][id]")) {
    const select = `#${CSS.escape(target.id)}`;
    const isThere = text.includes(`id="${target.id}"`);
    if (isThere) {
      await htmx.swap({ text, target, sourceElement: target, select, swap: "outerMorph" });
    }
  }
  document.dispatchEvent(new CustomEvent("console:refreshed"));
}

function isResting() {
  return document.hidden || document.querySelector("dialog[open], details.popover[open]") !== null;
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
