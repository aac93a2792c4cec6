// Changing the text of a field while somebody writes in it: what an input method composes is left alone, the selection
// stays where it was, and every change can be undone.

let composing = false;
addEventListener("compositionstart", () => (composing = true), true);
addEventListener("compositionend", () => (composing = false), true);

export const isComposing = () => composing;

// Resolves at once, or in a task of its own after the composition: its text has to arrive in the field first.
export async function betweenCompositions() {
  while (composing) {
    await new Promise((resolve) => addEventListener("compositionend", () => setTimeout(resolve), { once: true, capture: true }));
  }
}

// execCommand is deprecated and still the one way to change a field that the browser's undo knows of.
export function replace(field, start, end, text) {
  if (start === end && !text) return;
  const { selectionStart, selectionEnd, selectionDirection, scrollTop } = field;
  const before = document.activeElement;
  if (before !== field) field.focus({ preventScroll: true });
  field.setSelectionRange(start, end);
  const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (!done) {
    field.setRangeText(text, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const moved = (place) => (place >= end ? place + text.length - (end - start) : Math.min(place, start + text.length));
  field.setSelectionRange(moved(selectionStart), moved(selectionEnd), selectionDirection);
  field.scrollTop = scrollTop;
  if (before !== field && before !== document.body) before?.focus({ preventScroll: true });
}

// Tab, or Ctrl and a bracket, moves the lines of the selection; a caret alone gets its tab where it stands.
export function indent(field, outwards, wholeLines) {
  const { selectionStart: from, selectionEnd: to, value } = field;
  if (from === to && !outwards && !wholeLines) {
    replace(field, from, to, "\t");
    return;
  }
  const start = value.lastIndexOf("\n", from - 1) + 1;
  const next = value.indexOf("\n", Math.max(from, to - 1));
  const end = next < 0 ? value.length : next;
  const lines = value.slice(start, end);
  const changed = outwards ? lines.replace(/^(\t| {1,4})/gm, "") : lines.replace(/^(?=.)/gm, "\t");
  if (changed === lines) return;
  const first = changed.indexOf("\n") < 0 ? changed.length : changed.indexOf("\n");
  const shift = first - (lines.indexOf("\n") < 0 ? lines.length : lines.indexOf("\n"));
  replace(field, start, end, changed);
  field.setSelectionRange(Math.max(start, from + shift), to + changed.length - lines.length);
}
