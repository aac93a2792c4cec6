// The preview beside the text: asked for after a pause in writing, never for what an input method is composing.

import { isComposing } from "./editing.js";

const PAUSE_MS = 500;

export function follow(editor, preview) {
  let timer = 0;
  let asked = null;

  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const form = new FormData();
    form.append("content", editor.value);
    form.append("csrfmiddlewaretoken", editor.form.elements.csrfmiddlewaretoken.value);
    try {
      const address = editor.dataset.markdownxUrlsPath;
      const answer = await fetch(address, { method: "POST", body: form, signal: asked.signal });
      if (answer.headers.get("Content-Type")?.startsWith("text/html")) preview.innerHTML = await answer.text();
    } catch {
      // Another question is on its way, or the server is not to be reached: the last preview stands.
    }
  };
  const soon = () => {
    clearTimeout(timer);
    if (!isComposing()) timer = setTimeout(ask, PAUSE_MS);
  };
  editor.addEventListener("input", soon);
  editor.addEventListener("compositionstart", () => clearTimeout(timer));
  editor.addEventListener("compositionend", soon);
  ask();
}
