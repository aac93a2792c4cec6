// Help for writing a comment: its preview, kept up to date while it is open, and a few emoji.

const EMOJI = "😀 😄 😂 🙂 😉 😊 😍 😘 🤗 🤔 😎 😴 😅 😢 😭 😡 😱 🙄 😏 🤝 👍 👎 👏 🙏 💪 👋 👀 💡 ❤️ 🎉 🌹 🍻 ☕ 🔥 ✨ ✅ ❌ ❓ 🚀 🐛";
const PAUSE_MS = 1000; // the server counts how often one asks
const AGAIN_MS = 10000;

function equipEmoji(form, body) {
  const picker = document.createElement("details");
  picker.className = "emoji";
  const label = document.createElement("summary");
  label.textContent = form.dataset.emoji;
  const all = document.createElement("div");
  for (const emoji of EMOJI.split(" ")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = emoji;
    button.addEventListener("click", () => {
      body.setRangeText(emoji, body.selectionStart, body.selectionEnd, "end");
      body.dispatchEvent(new Event("input", { bubbles: true }));
    });
    all.append(button);
  }
  picker.append(label, all);
  picker.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    picker.open = false;
    label.focus();
  });
  body.closest(".field").append(picker);
}

function equipPreview(form, body) {
  const shown = form.querySelector(".comment-preview");
  const button = form.querySelector("[data-preview-button]");
  let waiting;
  let asked = 0;

  async function show() {
    const number = ++asked;
    if (!body.value.trim()) return shown.replaceChildren();
    const answer = await fetch(form.dataset.preview, {
      method: "POST",
      body: new URLSearchParams({ body: body.value }),
    }).catch(() => null);
    const html = answer && (await answer.text());
    if (number !== asked) return;
    if (answer?.status === 429) waiting = setTimeout(show, AGAIN_MS);
    else if (html && (answer.ok || answer.status === 422)) shown.innerHTML = html;
  }

  function open(isOpen) {
    shown.hidden = !isOpen;
    button.setAttribute("aria-expanded", isOpen);
    if (isOpen) show();
  }

  button.hidden = false;
  button.setAttribute("aria-expanded", !shown.hidden);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    open(shown.hidden);
  });
  body.addEventListener("input", () => {
    clearTimeout(waiting);
    if (!shown.hidden) waiting = setTimeout(show, PAUSE_MS);
  });
}

export function equip(form) {
  const { body } = form.elements;
  if (form.querySelector(".emoji")) return;
  equipEmoji(form, body);
  equipPreview(form, body);
}
