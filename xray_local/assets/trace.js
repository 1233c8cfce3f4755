// The page of one trace: links within it replace only what changes, rows come as they are scrolled
// to, and arrows move through them. Without this, each is a page of its own.

const body = document.getElementById("trace-body");
let shown = new URL(location.href);
let latest = 0;
// What is only passed by is not asked for.
const LINGER_MS = 80;
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(timers.get(target));
      if (isIntersecting) timers.set(target, setTimeout(() => load(target), LINGER_MS));
    }
  },
  { rootMargin: "600px" },
);
const timers = new WeakMap();
let stop = null;

prepare();
restore();
body.addEventListener("click", click);
body.addEventListener("submit", submit);
body.addEventListener("keydown", pressKey);
body.addEventListener("focusin", (event) => {
  const row = event.target.closest(".timeline [data-row]");
  if (row) keepOneTabStop(row);
});
window.addEventListener("popstate", () => show(new URL(location.href)));
document.addEventListener("console:refreshed", prepare);

// Makes what has just come ready: heights of rows that are still missing, and who watches for them.
function prepare() {
  for (const rows of body.querySelectorAll(".rows")) {
    rows.style.setProperty("--count", rows.dataset.count);
    if (rows.classList.contains("rows-left")) watcher.observe(rows);
  }
  leaveOut(body.querySelectorAll(".timeline :is(.label, .twist)"));
  const current = body.querySelector(".timeline [aria-selected]") ?? body.querySelector(".timeline [data-row]");
  if (current) keepOneTabStop(current);
}

function restore() {
  const chosen = body.querySelector(".timeline [aria-selected]");
  if (chosen && shown.searchParams.has("element")) chosen.scrollIntoView({ block: "nearest" });
}

// Of what arrows reach the tabulator leaves out all but one.
function leaveOut(links) {
  for (const link of links) link.tabIndex = -1;
}

// In the timeline the tabulator stops once: at the row that was last in use.
function keepOneTabStop(row) {
  const label = row.querySelector(".label");
  if (stop !== label && stop?.isConnected) stop.tabIndex = -1;
  stop = label;
  label.tabIndex = 0;
}

function click(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const button = event.target.closest("[data-copy]");
  if (button) return copy(button);
  const link = event.target.closest("a[data-swap]");
  const rows = event.target.closest("a[data-rows]");
  if (!link && !rows) return;
  event.preventDefault();
  if (rows) return load(rows.closest(".rows-left"));
  // The links of a drawing have no href that is a text.
  const url = new URL(link.getAttribute("href"), location.href);
  go(url, link.dataset.swap === "pane" ? link : null, link.matches(".twist") ? findPage(link) : null);
}

function submit(event) {
  const form = event.target.closest("form[data-swap]");
  if (!form) return;
  event.preventDefault();
  const url = new URL(location.pathname, location.href);
  for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
  go(url);
}

// The page of rows that a row is on; closing and opening it leaves it there.
function findPage(link) {
  const index = Number(link.closest("[data-row]").getAttribute("aria-rowindex"));
  const size = Number(link.closest(".timeline").dataset.pageRows);
  return Math.ceil((index - 1) / size);
}

async function go(url, opener = null, page = null) {
  if (await show(url, opener, page)) history.pushState(null, "", url.pathname + url.search);
}

// Shows another state of the page. Where only the element differs, only the pane changes.
async function show(url, opener = null, page = null) {
  const number = ++latest;
  const part = opener !== null || isSameView(shown, url) ? "pane" : "body";
  const text = await ask(url, part, page).catch(() => null);
  if (text === null) {
    location.assign(url);
    return false;
  }
  if (number !== latest) return false;
  shown = url;
  const focused = document.activeElement?.closest?.("[data-row]")?.id;
  const search = document.activeElement?.matches("input[type=search]");
  if (part === "body") {
    body.innerHTML = text;
    prepare();
    if (search) body.querySelector("input[type=search]")?.focus();
  } else {
    body.querySelector("#pane").innerHTML = text;
    choose(url);
  }
  const row = focused && document.getElementById(focused);
  if (row && !row.contains(document.activeElement)) {
    row.querySelector(".label, a").focus({ preventScroll: true });
  }
  return true;
}

function isSameView(one, other) {
  const list = (url) => [...url.searchParams].filter(([name]) => name !== "element").join("&");
  return list(one) === list(other) && one.searchParams.get("view") !== "flame";
}

// Marks the row whose details are shown, and makes room for them.
function choose(url) {
  const pane = body.querySelector(".pane");
  body.querySelector(".split").classList.toggle("has-pane", pane !== null);
  for (const row of body.querySelectorAll("[aria-selected]")) row.removeAttribute("aria-selected");
  for (const row of body.querySelectorAll(".chosen")) row.classList.remove("chosen");
  const row = pane && document.getElementById(`row-${pane.dataset.number}`);
  if (row?.matches("[role=row]")) {
    row.setAttribute("aria-selected", "true");
    keepOneTabStop(row);
  } else row?.classList.add("chosen");
  row?.scrollIntoView({ block: "nearest" });
  // Links to other views keep the element that is shown here.
  const element = url.searchParams.get("element");
  for (const link of body.querySelectorAll(".trace-bar a[data-swap], .twist, a[data-rows], thead a, .pager a")) {
    const changed = new URL(link.href);
    if (element === null) changed.searchParams.delete("element");
    else changed.searchParams.set("element", element);
    link.href = changed.search || "?";
  }
}

async function ask(url, part, page = null) {
  const asked = new URL(url);
  asked.searchParams.set("part", part);
  if (page !== null) asked.searchParams.set("page", page);
  const response = await fetch(asked);
  if (!response.ok) throw new Error(`The answer was ${response.status}.`);
  return response.text();
}

async function load(rows) {
  watcher.unobserve(rows);
  const link = rows.querySelector("a[data-rows]");
  const text = await ask(new URL(link.href), "rows").catch(() => null);
  if (text === null || !rows.isConnected) return;
  const template = document.createElement("template");
  template.innerHTML = text.trim();
  const fresh = template.content.firstElementChild;
  rows.replaceWith(fresh);
  fresh.style.setProperty("--count", fresh.dataset.count);
  leaveOut(fresh.querySelectorAll(".label, .twist"));
}

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && event.target.closest("#pane")) return close(event);
  const row = event.target.closest(".timeline [data-row]");
  if (!row) return;
  const twist = row.querySelector(".twist");
  const isOpen = row.getAttribute("aria-expanded") === "true";
  let target;
  if (event.key === "ArrowDown" || event.key === "j") target = findNext(row);
  else if (event.key === "ArrowUp" || event.key === "k") target = findBefore(row);
  else if (event.key === "Home") target = body.querySelector(".timeline [data-row]");
  else if (event.key === "End") target = [...body.querySelectorAll(".timeline [data-row]")].at(-1);
  else if (event.key === "ArrowRight") {
    if (twist && !isOpen) twist.click();
    else if (twist) target = findNext(row);
  } else if (event.key === "ArrowLeft") {
    if (twist && isOpen) twist.click();
    else target = findParent(row);
  } else if (event.key === "Escape") return close(event);
  else return;
  event.preventDefault();
  if (target) {
    keepOneTabStop(target);
    target.querySelector(".label").focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  }
}

function findNext(row) {
  return row.nextElementSibling ?? row.parentElement.nextElementSibling?.querySelector("[data-row]");
}

function findBefore(row) {
  const rows = row.parentElement.previousElementSibling;
  return row.previousElementSibling ?? (rows?.matches(".rows:not(.rows-left)") ? rows.lastElementChild : null);
}

function findParent(row) {
  const level = Number(row.getAttribute("aria-level"));
  let above = findBefore(row);
  while (above && Number(above.getAttribute("aria-level")) >= level) above = findBefore(above);
  return above;
}

function close(event) {
  const link = body.querySelector("[data-close]");
  if (!link) return;
  event.preventDefault();
  const number = body.querySelector(".pane").dataset.number;
  document.getElementById(`row-${number}`)?.querySelector("a").focus({ preventScroll: true });
  link.click();
}

async function copy(button) {
  const text = button.closest("section, details").querySelector("pre").textContent;
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}
