// Copies code, and shows what the page is for as soon as a segment has arrived.

const ASK_MS = 2000;
const SAID_MS = 2000;
const place = document.querySelector("[data-waits]");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (button) copy(button);
});
if (place) wait();

async function copy(button) {
  const code = button.closest(".snippet").querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(code);
    button.textContent = "Copied";
  } catch {
    // Only a page of this machine, or by HTTPS, may write there.
    getSelection().selectAllChildren(button.closest(".snippet").querySelector("code"));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), SAID_MS);
}

async function wait() {
  const before = await count();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    if (document.hidden) continue;
    const now = await count();
    if (now !== null && before !== null && now > before) break;
  }
  place.dataset.state = "came";
  if (location.pathname !== "/start") return location.reload();
  const link = document.createElement("a");
  link.href = "/traces";
  link.textContent = "Show the traces";
  place.lastElementChild.replaceChildren("A segment has arrived. ", link);
}

// How many segments are stored since the start of the program; null where it does not answer.
async function count() {
  try {
    return (await (await fetch("/counts")).json()).stored;
  } catch {
    return null;
  }
}
