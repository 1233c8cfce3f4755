// Choosing a range in a drawing: data-brush names the form that takes its ends.
//
// The form has an input with data-low and one with data-high, which also work by themselves. A part is
// chosen by dragging over it, or by keys: arrows, with Shift more than one column, and Enter.

const SVG = "http://www.w3.org/2000/svg";

document.addEventListener("pointerdown", (event) => {
  const drawing = event.target.closest?.("svg[data-brush]");
  if (!drawing || event.button !== 0) return;
  const columns = [...drawing.querySelectorAll(".column")];
  if (columns.length === 0) return;
  event.preventDefault();
  const start = event.clientX;
  drawing.querySelector(".brush")?.remove();
  places.delete(drawing);
  const mark = makeMark(drawing);
  drawing.setPointerCapture(event.pointerId);
  const move = (moved) => draw(drawing, mark, start, moved.clientX);
  const stop = (stopped) => {
    drawing.removeEventListener("pointermove", move);
    mark.remove();
    if (stopped.type === "pointerup") choose(drawing, columns, start, stopped.clientX);
  };
  drawing.addEventListener("pointermove", move);
  drawing.addEventListener("pointerup", stop, { once: true });
  drawing.addEventListener("pointercancel", stop, { once: true });
});

// By keys: what is chosen, as numbers of columns; `from` stays where Shift is held.
const places = new WeakMap();

document.addEventListener("keydown", (event) => {
  const drawing = event.target.closest?.("svg[data-brush]");
  if (!drawing || event.ctrlKey || event.metaKey || event.altKey) return;
  const columns = [...drawing.querySelectorAll(".column")].sort(
    (one, other) => one.dataset.low - other.dataset.low,
  );
  const lows = [...new Set(columns.map((column) => column.dataset.low))];
  const place = places.get(drawing);
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -lows.length, End: lows.length };
  const chosen = place && columns.filter(({ dataset }) => isBetween(lows.indexOf(dataset.low), place));
  if (event.key in steps && lows.length > 0) {
    const at = place ? place.to : steps[event.key] > 0 ? -1 : lows.length;
    const to = Math.min(lows.length - 1, Math.max(0, at + steps[event.key]));
    places.set(drawing, { from: place && event.shiftKey ? place.from : to, to });
    show(drawing, columns, lows);
  } else if (event.key === "Enter" && chosen) {
    take(drawing, chosen);
  } else if (event.key === "Escape" && place) {
    places.delete(drawing);
    drawing.querySelector(".brush")?.remove();
  } else return;
  event.preventDefault();
});

function isBetween(number, { from, to }) {
  return number >= Math.min(from, to) && number <= Math.max(from, to);
}

function show(drawing, columns, lows) {
  const place = places.get(drawing);
  const boxes = columns
    .filter(({ dataset }) => isBetween(lows.indexOf(dataset.low), place))
    .map((column) => column.getBoundingClientRect());
  const mark = drawing.querySelector(".brush") ?? makeMark(drawing);
  draw(drawing, mark, Math.min(...boxes.map(({ left }) => left)), Math.max(...boxes.map(({ right }) => right)));
}

function makeMark(drawing) {
  const mark = document.createElementNS(SVG, "rect");
  mark.classList.add("brush");
  mark.setAttribute("y", "0");
  mark.setAttribute("height", "100%");
  drawing.append(mark);
  return mark;
}

function draw(drawing, mark, start, end) {
  const left = drawing.getScreenCTM().e;
  const [low, high] = [start, end].map((each) => Math.max(0, each - left)).sort((one, other) => one - other);
  mark.setAttribute("x", String(low));
  mark.setAttribute("width", String(high - low));
}

function choose(drawing, columns, start, end) {
  const [left, right] = [Math.min(start, end), Math.max(start, end)];
  const chosen = columns.filter((column) => {
    const box = column.getBoundingClientRect();
    return box.right >= left && box.left <= right;
  });
  if (chosen.length > 0) take(drawing, chosen);
}

// Whole columns, from the low of the first to the high of the last.
function take(drawing, chosen) {
  const form = document.getElementById(drawing.dataset.brush);
  const lows = chosen.map((column) => column.dataset.low).sort((one, other) => one - other);
  const highs = chosen.map((column) => column.dataset.high).sort((one, other) => one - other);
  form.querySelector("[data-low]").value = lows[0];
  form.querySelector("[data-high]").value = highs.at(-1);
  form.requestSubmit();
}
