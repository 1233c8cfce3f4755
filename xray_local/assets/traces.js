// The table of traces: completion of the filter, and choosing rows.

const TYPING_MS = 120;

const box = document.getElementById("filter");
if (box) completeFilter(box);
chooseRows();

function completeFilter(input) {
  const list = document.createElement("ul");
  list.id = "options";
  list.className = "options";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "What may come next");
  list.hidden = true;
  input.after(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list",
  })) input.setAttribute(name, value);
  // The word that is completed: where it begins, and how much follows it.
  let start = 0;
  let after = 0;
  let timer = 0;
  let asked = 0;

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, TYPING_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const key = event.key;
    if (key === "ArrowDown" && list.hidden) ask();
    else if (list.hidden) return;
    else if (key === "ArrowDown" || key === "ArrowUp") move(key === "ArrowDown" ? 1 : -1);
    else if (key === "Escape") close();
    else if ((key === "Enter" || key === "Tab") && selected()) accept(selected());
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) accept(option);
  });

  async function ask() {
    const url = new URL(input.dataset.completions, location.href);
    const before = input.value.slice(0, input.selectionStart);
    const rest = input.value.length - before.length;
    url.searchParams.set("before", before);
    const number = ++asked;
    const response = await fetch(url);
    const found = response.ok ? await response.json() : null;
    if (!found || number !== asked || document.activeElement !== input) return;
    start = before.length - found.replaced.length;
    after = rest;
    list.replaceChildren(...found.options.map(makeOption));
    list.hidden = found.options.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }

  function makeOption({ text, kind }, number) {
    const option = document.createElement("li");
    const [label, note] = [document.createElement("span"), document.createElement("span")];
    option.id = `option-${number}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    label.textContent = text;
    note.textContent = kind;
    note.className = "kind";
    option.append(label, note);
    return option;
  }

  function selected() {
    return list.querySelector("[aria-selected=true]");
  }

  function move(step) {
    const options = [...list.children];
    const current = options.indexOf(selected());
    options[current]?.setAttribute("aria-selected", "false");
    const next = options.at((current + step + (current < 0 && step < 0 ? 1 : 0)) % options.length);
    next.setAttribute("aria-selected", "true");
    next.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", next.id);
  }

  function accept(option) {
    const text = option.firstChild.textContent;
    const ending = text.endsWith("(") ? "" : " ";
    // What was typed since the list was made belongs to the word, wherever the caret is by now.
    input.setRangeText(text + ending, start, Math.max(start, input.value.length - after), "end");
    close();
    ask();
  }

  function close() {
    asked += 1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
}

function chooseRows() {
  const button = document.querySelector("[data-compare]");
  if (!button) return;
  const update = () => {
    const number = document.querySelectorAll("input[name=trace]:checked").length;
    button.disabled = number < 2;
    button.textContent = number ? `Compare ${number}` : "Compare";
  };
  document.addEventListener("change", update);
  document.addEventListener("console:refreshed", update);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    const row = document.activeElement.closest("[data-row]");
    if (event.key === "x" && row) row.querySelector("input[name=trace]").click();
    else if (event.key === "c" && !button.disabled) button.click();
  });
  update();
}
