// Zoom and pan of the map, and finding services while typing. What is drawn comes from the server.

const STEP = 1.25;
const LEAST = 0.1;
const MOST = 3;
const box = document.querySelector(".map");
let zoom = 0; // fits the map into its box

if (box) {
  const kept = JSON.parse(sessionStorage.getItem("map-zoom-of") ?? "{}");
  // Of another drawing, such as one with a node alone, it would be too near or too far.
  if (kept.of === drawing().getAttribute("viewBox")) zoom = kept.zoom;
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => change(Number(button.dataset.zoom)));
  }
  box.addEventListener("wheel", turnWheel, { passive: false });
  box.addEventListener("pointerdown", startDrag);
  box.addEventListener("dragstart", (event) => event.preventDefault());
  box.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
    if (event.target !== box || !(event.key in steps)) return;
    box.scrollBy(...steps[event.key]);
    event.preventDefault();
  });
  for (const [type, isNear] of Object.entries({ pointerover: true, focusin: true, pointerout: false, focusout: false })) {
    box.addEventListener(type, (event) => markEdges(event.target.closest("a[data-name]"), isNear));
  }
  document.addEventListener("console:refreshed", () => {
    apply();
    find();
  });
  document.querySelector("[data-find]")?.addEventListener("input", () => {
    find();
    showFound();
  });
  apply();
  scrollToStart();
}

// A drawing that is larger than its box begins with what is chosen, else with the busiest call.
function scrollToStart() {
  const chosen = box.querySelector("a[aria-current]");
  if (chosen) return scrollTo(chosen);
  const lines = [...box.querySelectorAll(".line")];
  const busiest = lines.reduce((best, line) => (width(line) > width(best) ? line : best), lines[0]);
  if (busiest) scrollTo(busiest, 160);
}

// Scrolls the drawing so that an element stands in the middle, or as far from the left.
function scrollTo(element, indent = null) {
  const [at, frame] = [element.getBoundingClientRect(), box.getBoundingClientRect()];
  const left = at.left - frame.left - (indent ?? (frame.width - at.width) / 2);
  box.scrollBy(left, at.top - frame.top - (frame.height - at.height) / 2);
}

// The calls of a node, among very many others.
function markEdges(node, isNear) {
  if (!node) return;
  for (const edge of box.querySelectorAll(`a[data-ends~="${CSS.escape(node.id)}"]`)) {
    if (isNear) edge.dataset.state = "near";
    else delete edge.dataset.state;
  }
}

function width(line) {
  return Number(line?.getAttribute("stroke-width"));
}

function drawing() {
  return box.querySelector("svg");
}

// Without a zoom of its own the style sheet fits the drawing into its box, as far as it can be read.
function apply() {
  const svg = drawing();
  if (zoom) svg.dataset.state = "zoomed";
  else delete svg.dataset.state;
  const scale = zoom || Number(svg.dataset.scale);
  svg.setAttribute("width", (Number(svg.dataset.width) * scale).toFixed(1));
  svg.setAttribute("height", (Number(svg.dataset.height) * scale).toFixed(1));
}

function measure() {
  return drawing().getBoundingClientRect().width / Number(drawing().dataset.width);
}

function change(direction, x = box.clientWidth / 2, y = box.clientHeight / 2) {
  const before = measure();
  zoom = direction === 0 ? fit() : Math.min(MOST, Math.max(LEAST, before * STEP ** direction));
  const of = drawing().getAttribute("viewBox");
  sessionStorage.setItem("map-zoom-of", JSON.stringify({ of, zoom }));
  const [left, top] = [box.scrollLeft + x, box.scrollTop + y];
  apply();
  const factor = measure() / before;
  box.scrollTo(left * factor - x, top * factor - y);
}

// One that is first shown at a size that can be read is fitted as a whole.
function fit() {
  const { width, height, scale } = drawing().dataset;
  if (Number(scale) === 1) return 0;
  return Math.max(LEAST, Math.min(box.clientWidth / width, box.clientHeight / height, 1));
}

function turnWheel(event) {
  if (!event.ctrlKey && !event.metaKey) return;
  const frame = box.getBoundingClientRect();
  change(event.deltaY < 0 ? 1 : -1, event.clientX - frame.left, event.clientY - frame.top);
  event.preventDefault();
}

function startDrag(event) {
  if (event.button !== 0 || event.pointerType !== "mouse") return;
  const start = { x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop };
  let isDragged = false;
  const move = (each) => {
    const [x, y] = [each.clientX - start.x, each.clientY - start.y];
    if (!isDragged && Math.hypot(x, y) < 4) return;
    isDragged = true;
    box.classList.add("dragged");
    box.scrollTo(start.left - x, start.top - y);
  };
  const end = () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", end);
    box.classList.remove("dragged");
    if (isDragged) {
      // The click that follows was a drag.
      const stop = (each) => each.preventDefault();
      box.addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => box.removeEventListener("click", stop, { capture: true }));
    }
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
}

function find() {
  const text = document.querySelector("[data-find]").value.trim().toLowerCase();
  for (const node of box.querySelectorAll("[data-name]")) {
    const fits = node.dataset.name.toLowerCase().includes(text);
    if (fits) delete node.dataset.state;
    else node.dataset.state = "dim";
  }
}

function showFound() {
  const [first] = box.querySelectorAll("[data-name]:not([data-state])");
  if (first && box.querySelector("[data-name][data-state]")) scrollTo(first);
}
