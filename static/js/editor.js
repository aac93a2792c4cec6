// A post's body: text and preview side by side, pictures, indentation.

import { indent } from "./editing.js";
import { follow } from "./preview.js";
import { takePictures } from "./uploads.js";

// Tab indents; after Escape it leaves the editor, so that a keyboard isn't caught in it.
function indentByKeys(editor) {
  let leaving = false;
  editor.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const held = event.ctrlKey || event.metaKey;
    if (event.key === "Tab" && !held && !event.altKey && !leaving) {
      event.preventDefault();
      indent(editor, event.shiftKey, false);
    } else if (held && !event.altKey && !event.shiftKey && (event.key === "]" || event.key === "[")) {
      event.preventDefault();
      indent(editor, event.key === "[", true);
    }
    if (event.key !== "Shift") leaving = event.key === "Escape";
  });
}

for (const box of document.querySelectorAll(".markdownx")) {
  const editor = box.querySelector(".markdownx-editor");
  takePictures(box, editor);
  indentByKeys(editor);
  follow(editor, box.querySelector(".markdownx-preview"));
  editor.dataset.markdownxInit = "";
}
