// The table of traces: completion of the filter, and choosing rows.

const TYPING_MS = 120;
// What is completed may have become this; anything else was edited around it.
const WORD = /^("([^"\\]|\\.)*"?|annotation\[[^\]]*\]?|[\w.]*|[<>!]=?)$/i;

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
  // What stands before and after the word that is completed.
  let head = "";
  let tail = "";
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
    const rest = input.value.slice(before.length);
    url.searchParams.set("before", before);
    const number = ++asked;
    // Without an answer it offers nothing.
    const found = await fetch(url).then((answer) => answer.ok ? answer.json() : null).catch(() => null);
    if (number !== asked || document.activeElement !== input) return;
    if (!found) return close();
    head = before.slice(0, before.length - found.replaced.length);
    tail = rest.slice(measureWord(found.replaced, rest));
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
    const { value } = input;
    close();
    const isSame = value.startsWith(head) && value.endsWith(tail) && value.length >= head.length + tail.length
      && WORD.test(value.slice(head.length, value.length - tail.length));
    // Since the list was made, something else than the word has been edited.
    if (!isSame) return ask();
    const text = option.firstChild.textContent;
    const ending = text.endsWith("(") ? "" : " ";
    const next = ending || "(";
    // What was typed since then belongs to the word, wherever the caret is by now.
    const end = value.length - tail.length + (tail.startsWith(next) ? 1 : 0);
    // Unlike setRangeText, this can be undone.
    input.setSelectionRange(head.length, end);
    document.execCommand("insertText", false, text + ending);
    ask();
  }

  function close() {
    clearTimeout(timer);
    asked += 1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
}

// Return how much of the rest of a filter belongs to the word that was begun before the caret.
function measureWord(begun, rest) {
  if (begun.startsWith('"')) {
    const marks = rest.replace(/\\./g, "__").split('"');
    // An even number of quotation marks are those of other texts: this one does not end.
    return marks.length % 2 ? rest.match(/^(?:[\w.]+"?)?/)[0].length : marks[0].length + 1;
  }
  if (/^[<>!]$/.test(begun)) return rest.startsWith("=") ? 1 : 0;
  if (!begun) return 0;
  const word = (begun + rest).match(/^annotation\[[^\]"=<>!]*\]|^[\w.]*/i)[0];
  return Math.max(0, word.length - begun.length);
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
