// A button beside what the reader has selected, in the post or in a comment: it goes into the answer as a quote.

const LONGEST = 1000;
const PAUSE_MS = 200;

export function watch(label, load) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quote-button";
  button.textContent = label;
  button.addEventListener("pointerdown", (event) => event.preventDefault()); // it would end the selection
  let waiting;
  let text;
  let floor;

  function offer() {
    const selection = getSelection();
    if (document.activeElement === button) return;
    button.remove();
    if (selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const within = range.commonAncestorContainer;
    const prose = (within.closest ? within : within.parentElement)?.closest(".comment .prose, .post .prose");
    const words = selection.toString().trim();
    if (!prose || !words) return;
    text = words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
    floor = prose.closest(".comment")?.id.replace("floor-", "");
    prose.after(button); // near in the order of Tab
    const at = [...range.getClientRects()].at(-1) ?? range.getBoundingClientRect();
    const origin = (button.offsetParent ?? document.body).getBoundingClientRect();
    button.style.top = `${at.bottom - origin.top + 6}px`;
    button.style.left = `${Math.min(at.right, innerWidth - button.offsetWidth - 16) - origin.left}px`;
  }

  button.addEventListener("click", async () => {
    button.remove();
    getSelection().removeAllRanges();
    try {
      (await load()).quote(text, floor);
    } catch {} // there is no form to put it in
  });
  document.addEventListener("selectionchange", () => {
    clearTimeout(waiting);
    waiting = setTimeout(offer, PAUSE_MS);
  });
  offer();
}
