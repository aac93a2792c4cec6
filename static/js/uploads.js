// Pictures pasted, dropped or chosen: each gets a placeholder at the caret of that moment and is sent one after another;
// the placeholder becomes the picture, or goes with a message that says why. Saving waits for them.

import { betweenCompositions, replace } from "./editing.js";

const PLACEHOLDER = /!\[[^\]\n]*… #\d+\]\(\)/g;
const TRIES = 10;
const STALLED_SECONDS = 60;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The text without what stands for pictures that never arrived.
export const withoutPlaceholders = (text) => text.replace(PLACEHOLDER, "");

function send(editor, file, onProgress) {
  return new Promise((resolve, reject) => {
    const { uploadFailed, uploadTooLarge, markdownxUploadUrlsPath } = editor.dataset;
    const form = new FormData();
    form.append("image", file);
    const request = new XMLHttpRequest();
    request.open("POST", markdownxUploadUrlsPath);
    request.setRequestHeader("X-CSRFToken", editor.form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("Accept", "application/json");
    // A total time limit would cut off a large picture on a slow line.
    let stalled;
    const wait = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_SECONDS * 1000);
    };
    request.upload.addEventListener("progress", (event) => {
      wait();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("progress", wait);
    for (const type of ["error", "abort"]) request.addEventListener(type, () => reject(new Error(uploadFailed)));
    request.addEventListener("loadend", () => clearTimeout(stalled));
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // An error page, of a proxy for example.
      }
      if (answer.image_code) return resolve(answer.image_code);
      const error = new Error(answer.error || (request.status === 413 ? uploadTooLarge : uploadFailed));
      if (request.status === 429) error.againInSeconds = Number(request.getResponseHeader("Retry-After")) || 60;
      return reject(error);
    });
    request.send(form);
    wait();
  });
}

// The text before and after an image at the caret, so that it is a block of its own and the caret on an empty
// line after it. Within a quotation or a list item it stays in there, within a row of a table it stays in the row.
function surroundings(text, caret) {
  const lines = text.slice(0, caret).split("\n");
  const before = lines.pop();
  const line = before + text.slice(caret).split("\n", 1)[0];
  const quote = /^(?: {0,3}> ?)*/.exec(line)[0];
  const own = line.slice(quote.length);
  if (own.startsWith("|")) return { lead: "", between: " ", trail: "" };
  const item = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)?/.exec(own)[0];
  const gap = `\n${quote.trimEnd()}\n${quote}${" ".repeat(item.length)}`;
  const isEmpty = (text) => !text.slice(quote.length).trim();
  const lead = !isEmpty(before) ? gap : lines.length && !isEmpty(lines.at(-1)) ? gap.slice(gap.indexOf("\n", 1)) : "";
  return { lead, between: gap, trail: gap };
}

export function takePictures(box, editor) {
  const { form } = editor;
  const progress = document.createElement("progress");
  progress.hidden = true;
  progress.setAttribute("aria-label", editor.dataset.uploadLabel);
  const notes = document.createElement("div");
  notes.className = "notes";
  notes.setAttribute("role", "alert");
  // A telephone can neither drop nor, often, paste a picture.
  const choose = document.createElement("label");
  choose.className = "picture";
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.multiple = true;
  choose.append(editor.dataset.chooseLabel, " ", input);
  editor.before(choose, progress, notes);

  const arrived = new Map(); // placeholder -> picture, for one that undo brings back
  let queue = Promise.resolve();
  let waiting = 0;
  let counted = 0;
  let refusals = 0;

  const note = (text) => {
    const element = document.createElement("p");
    element.className = "errornote";
    element.textContent = text;
    notes.append(element);
    return element;
  };

  const insist = async (file) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await send(editor, file, (share) => (progress.value = share));
      } catch (error) {
        if (!error.againInSeconds || tries === TRIES) throw error;
        const told = note(editor.dataset.uploadAgain.replace("{seconds}", error.againInSeconds));
        await pause(error.againInSeconds * 1000);
        told.remove();
      }
    }
  };

  const settle = async ({ placeholder, lead, trail }, code) => {
    await betweenCompositions();
    const start = editor.value.indexOf(placeholder);
    if (start < 0) return; // taken out by the writer
    const end = start + placeholder.length;
    if (code) return replace(editor, start, end, code);
    const isAlone = editor.value.slice(0, start).endsWith(lead) && editor.value.slice(end).startsWith(trail);
    replace(editor, isAlone ? start - lead.length : start, isAlone ? end + trail.length : end, "");
  };

  const upload = async (file, place) => {
    progress.removeAttribute("value");
    try {
      const code = (await insist(file)).replace("![]", `![${nameOf(file)}]`);
      arrived.set(place.placeholder, code);
      await settle(place, code);
    } catch (error) {
      refusals += 1;
      note(file.name ? `${file.name}: ${error.message}` : error.message);
      await settle(place, "");
    }
    waiting -= 1;
    progress.hidden = waiting === 0;
  };

  const enqueue = async (files) => {
    if (!waiting) notes.replaceChildren();
    waiting += files.length;
    progress.hidden = false;
    await betweenCompositions();
    const caret = editor.selectionEnd;
    const { lead, between, trail } = surroundings(editor.value, caret);
    const places = files.map((file, index) => {
      counted += 1;
      const label = editor.dataset.uploadPlaceholder.replace("{name}", () => nameOf(file));
      return {
        placeholder: `![${label} #${counted}]()`,
        lead: index ? between : lead,
        trail: index === files.length - 1 ? trail : "",
      };
    });
    const text = places.map((place) => place.lead + place.placeholder + place.trail).join("");
    const isWritingHere = editor.selectionStart === caret;
    replace(editor, caret, caret, text);
    if (!isWritingHere) editor.setSelectionRange(caret + text.length, caret + text.length);
    files.forEach((file, index) => (queue = queue.then(() => upload(file, places[index]))));
  };

  input.addEventListener("change", () => {
    enqueue([...input.files]);
    input.value = ""; // the same picture may be chosen again
  });

  const take = (event, data) => {
    if (event.target !== editor || !data) return;
    // Copied from a text processor, text comes with a picture of itself: the text is what was meant.
    const isText = event.type === "paste" && data.types.includes("text/plain") && data.types.includes("text/html");
    const files = isText ? [] : [...data.files];
    if (!files.length) return;
    event.preventDefault();
    enqueue(files);
  };
  editor.addEventListener("paste", (event) => take(event, event.clipboardData));
  editor.addEventListener("drop", (event) => take(event, event.dataTransfer));
  // A file that misses the editor would be opened in place of the page.
  for (const type of ["dragover", "drop"]) {
    addEventListener(type, (event) => {
      if (event.dataTransfer?.types.includes("Files") && event.target.type !== "file") event.preventDefault();
    });
  }

  form.addEventListener(
    "submit",
    async (event) => {
      const { submitter } = event;
      if (!waiting) {
        const settled = editor.value.replace(PLACEHOLDER, (placeholder) => arrived.get(placeholder) ?? "");
        if (settled !== editor.value) replace(editor, 0, editor.value.length, settled);
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (form.classList.contains("waiting")) return;
      form.classList.add("waiting");
      const label = submitter?.value;
      if (submitter) submitter.value = editor.dataset.saveWaits;
      const before = refusals;
      while (waiting) await Promise.all([queue, pause(50)]);
      form.classList.remove("waiting");
      if (submitter) submitter.value = label;
      // A refusal has to be read: the page stays, and the button can be pressed again.
      if (refusals === before) form.requestSubmit(submitter);
    },
    true,
  );
}

const nameOf = (file) => file.name.replace(/\.[^.]*$/, "").replace(/[[\]\n]/g, "");
