// Pictures pasted or dropped into a post's body: sent one after another with their progress, refusals said in words.
// The Markdown editor's own uploader writes "Invalid response" into the text and stays dim when an error page comes
// back, so it never gets to see a file; its preview, and everything else of it, goes on as before.

function send(editor, file, onProgress) {
  return new Promise((resolve, reject) => {
    const { uploadFailed, uploadTooLarge, markdownxUploadUrlsPath } = editor.dataset;
    const form = new FormData();
    form.append("image", file);
    const request = new XMLHttpRequest();
    request.open("POST", markdownxUploadUrlsPath);
    request.setRequestHeader("X-CSRFToken", editor.form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("error", () => reject(new Error(uploadFailed)));
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // An error page, of a proxy for example.
      }
      if (answer.image_code) resolve(answer.image_code);
      else reject(new Error(answer.error || (request.status === 413 ? uploadTooLarge : uploadFailed)));
    });
    request.send(form);
  });
}

function setUp(box) {
  const editor = box.querySelector(".markdownx-editor");
  const progress = document.createElement("progress");
  progress.hidden = true;
  progress.setAttribute("aria-label", editor.dataset.uploadLabel);
  const notes = document.createElement("div");
  notes.setAttribute("role", "alert");
  // A telephone can neither drop nor, often, paste a picture.
  const choose = document.createElement("label");
  choose.className = "picture";
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.multiple = true;
  choose.append(editor.dataset.chooseLabel, " ", input);
  editor.before(choose);
  box.append(progress, notes);
  let queue = Promise.resolve();
  let waiting = 0;

  const upload = async (file) => {
    progress.removeAttribute("value");
    try {
      const code = await send(editor, file, (share) => (progress.value = share));
      const name = file.name.replace(/\.[^.]*$/, "").replace(/[[\]]/g, "");
      const named = code.replace("![]", `![${name}]`) + (waiting > 1 ? "\n" : "");
      editor.setRangeText(named, editor.selectionStart, editor.selectionEnd, "end");
      editor.dispatchEvent(new Event("input", { bubbles: true }));
    } catch (error) {
      const note = document.createElement("p");
      note.className = "errornote";
      note.textContent = file.name ? `${file.name}: ${error.message}` : error.message;
      notes.append(note);
    }
    waiting -= 1;
    progress.hidden = waiting === 0;
  };

  const enqueue = (files) => {
    if (!waiting) notes.replaceChildren();
    waiting += files.length;
    progress.hidden = false;
    for (const file of files) queue = queue.then(() => upload(file));
  };

  input.addEventListener("change", () => {
    enqueue([...input.files]);
    input.value = ""; // the same picture may be chosen again
  });

  const take = (event, data) => {
    if (event.target !== editor || !data) return;
    event.stopPropagation();
    // Copied from a text processor, text comes with a picture of itself: the text is what was meant.
    const isText = event.type === "paste" && data.types.includes("text/plain") && data.types.includes("text/html");
    const files = isText ? [] : [...data.files];
    if (!files.length) return;
    event.preventDefault();
    enqueue(files);
  };
  box.addEventListener("paste", (event) => take(event, event.clipboardData), true);
  box.addEventListener("drop", (event) => take(event, event.dataTransfer), true);

  // Tab indents; after Escape it leaves the editor, so that a keyboard isn't caught in it.
  let leaving = false;
  box.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Tab" && leaving) event.stopPropagation();
      else if (event.key !== "Shift") leaving = event.key === "Escape";
    },
    true,
  );
}

document.querySelectorAll(".markdownx").forEach(setUp);
