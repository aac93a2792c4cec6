// The text of a post being written, kept in this browser until the server has it: whatever becomes of the server, of
// the sign-in or of the tab, the form offers it again. What was sent is forgotten when a page of the posts reports a
// success.

const PREFIX = "blog-draft:";
const FIELDS = ["title", "body", "summary"];
const KEPT_DAYS = 30;
const PAUSE_MS = 500;

const storage = (action) => {
  try {
    return action();
  } catch {
    return null; // switched off, or full: the form works as without
  }
};

function forgetWhatWasSent() {
  const sent = sessionStorage.getItem(`${PREFIX}sent`);
  sessionStorage.removeItem(`${PREFIX}sent`);
  if (sent && document.querySelector(".messagelist .success")) localStorage.removeItem(sent);
}

function forgetOldOnes() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const { at } = storage(() => JSON.parse(localStorage.getItem(key))) ?? { at: 0 };
    if (Date.now() - at > KEPT_DAYS * 24 * 3600 * 1000) localStorage.removeItem(key);
  }
}

function keep(form) {
  const key = PREFIX + location.pathname;
  const fields = FIELDS.map((name) => form.elements[name]).filter(Boolean);
  const kept = storage(() => JSON.parse(localStorage.getItem(key)));
  let timer = 0;

  const save = () => {
    clearTimeout(timer);
    timer = 0;
    const values = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    storage(() => localStorage.setItem(key, JSON.stringify({ at: Date.now(), values })));
  };
  form.addEventListener("input", ({ target }) => {
    if (fields.includes(target)) timer ||= setTimeout(save, PAUSE_MS);
  });
  addEventListener("pagehide", () => timer && save());
  form.addEventListener("submit", () => {
    if (timer) save();
    storage(() => sessionStorage.setItem(`${PREFIX}sent`, key));
  });

  if (!kept || fields.every((field) => field.value === (kept.values[field.name] ?? field.value))) return;
  offer(form, kept, fields, () => localStorage.removeItem(key));
}

function offer(form, kept, fields, forget) {
  const { draftFound, draftRestore, draftDiscard } = form.elements.body.dataset;
  const time = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  }).format(kept.at);
  const box = document.createElement("p");
  box.className = "draft";
  box.setAttribute("role", "status");
  const button = (label, action) => {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "button";
    element.textContent = label;
    element.addEventListener("click", () => {
      action();
      box.remove();
    });
    return element;
  };
  const restore = button(draftRestore, () => {
    for (const field of fields.filter(({ name }) => name in kept.values)) {
      field.value = kept.values[field.name];
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  box.append(draftFound.replace("{time}", time), " ", restore, " ", button(draftDiscard, forget));
  form.prepend(box);
}

storage(forgetWhatWasSent);
storage(forgetOldOnes);
const form = document.querySelector("#post_form");
if (form?.elements.body) keep(form);
