// Choosing a range in a drawing: data-brush names the form that takes its ends.
//
// The form has an input with data-low and one with data-high, which also work by themselves. What is
// chosen are whole columns, from the low of the first to the high of the last.

const SVG = "http://www.w3.org/2000/svg";

document.addEventListener("pointerdown", (event) => {
  const drawing = event.target.closest?.("svg[data-brush]");
  if (!drawing || event.button !== 0) return;
  const columns = [...drawing.querySelectorAll(".column")];
  if (columns.length === 0) return;
  event.preventDefault();
  const start = event.clientX;
  const mark = document.createElementNS(SVG, "rect");
  mark.classList.add("brush");
  mark.setAttribute("y", "0");
  mark.setAttribute("height", "100%");
  drawing.append(mark);
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
  if (chosen.length === 0) return;
  const form = document.getElementById(drawing.dataset.brush);
  const lows = chosen.map((column) => column.dataset.low).sort((one, other) => one - other);
  const highs = chosen.map((column) => column.dataset.high).sort((one, other) => one - other);
  form.querySelector("[data-low]").value = lows[0];
  form.querySelector("[data-high]").value = highs.at(-1);
  form.requestSubmit();
}
