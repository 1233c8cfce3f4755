// The page of one trace: links within it replace only what changes, rows come as they are scrolled
// to, and arrows move through them. Without this, each is a page of its own.

const body = document.getElementById("trace-body");
let shown = new URL(location.href);
let latest = 0;
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) load(entry.target);
  },
  { rootMargin: "600px" },
);

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
  const current = body.querySelector(".timeline [aria-selected]") ?? body.querySelector(".timeline [data-row]");
  if (current) keepOneTabStop(current);
}

function restore() {
  const chosen = body.querySelector(".timeline [aria-selected]");
  if (chosen && shown.searchParams.has("element")) chosen.scrollIntoView({ block: "nearest" });
}

function keepOneTabStop(row) {
  for (const link of body.querySelectorAll(".timeline .label:not([tabindex])")) link.tabIndex = -1;
  for (const link of body.querySelectorAll('.timeline .label[tabindex="0"]')) link.tabIndex = -1;
  row.querySelector(".label").tabIndex = 0;
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
  go(url, link.dataset.swap === "pane" ? link : null);
}

function submit(event) {
  const form = event.target.closest("form[data-swap]");
  if (!form) return;
  event.preventDefault();
  const url = new URL(location.pathname, location.href);
  for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
  go(url);
}

async function go(url, opener = null) {
  if (await show(url, opener)) history.pushState(null, "", url.pathname + url.search);
}

// Shows another state of the page. Where only the element differs, only the pane changes.
async function show(url, opener = null) {
  const number = ++latest;
  const part = opener !== null || isSameView(shown, url) ? "pane" : "body";
  const text = await ask(url, part).catch(() => null);
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
    prepare();
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
  if (row?.matches("[role=row]")) row.setAttribute("aria-selected", "true");
  else row?.classList.add("chosen");
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

async function ask(url, part) {
  const asked = new URL(url);
  asked.searchParams.set("part", part);
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
  for (const label of fresh.querySelectorAll(".label")) label.tabIndex = -1;
}

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && event.target.closest("#pane")) return close(event);
  const row = event.target.closest(".timeline [data-row]");
  if (!row) return;
  const rows = [...body.querySelectorAll(".timeline [data-row]")];
  const place = rows.indexOf(row);
  const twist = row.querySelector(".twist");
  const isOpen = row.getAttribute("aria-expanded") === "true";
  let target;
  if (event.key === "ArrowDown" || event.key === "j") target = rows[place + 1];
  else if (event.key === "ArrowUp" || event.key === "k") target = rows[place - 1];
  else if (event.key === "Home") target = rows[0];
  else if (event.key === "End") target = rows.at(-1);
  else if (event.key === "ArrowRight") {
    if (twist && !isOpen) twist.click();
    else if (twist) target = rows[place + 1];
  } else if (event.key === "ArrowLeft") {
    if (twist && isOpen) twist.click();
    else target = findParent(rows, place);
  } else if (event.key === "Escape") return close(event);
  else return;
  event.preventDefault();
  if (target) {
    keepOneTabStop(target);
    target.querySelector(".label").focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  }
}

function findParent(rows, place) {
  const level = Number(rows[place].getAttribute("aria-level"));
  return rows.slice(0, place).findLast((row) => Number(row.getAttribute("aria-level")) < level);
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
