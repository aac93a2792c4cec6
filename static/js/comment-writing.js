// The comment form at work: what was typed is lost by nothing. Name, e-mail and drafts are kept in this browser only.

const REMEMBERED = ["author_name", "author_email", "author_site"];
const KEPT = ["body", "submission", "reply_to_floor"];

function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function remember(key, form, names) {
  const entries = names.map((name) => [name, form.elements[name]?.value ?? ""]);
  try {
    localStorage.setItem(key, JSON.stringify(Object.fromEntries(entries)));
  } catch {} // full, or forbidden
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {}
}

// Comments the reader may still change get their buttons where they stand; the rest stays listed under the form.
function offerOwn(form) {
  for (const entry of form.querySelectorAll(".comment-own [data-floor]")) {
    const foot = document.querySelector(`#floor-${entry.dataset.floor} .comment-foot`);
    if (!foot) continue;
    foot.querySelector(".own")?.remove();
    const links = entry.querySelector("span");
    links.className = "own";
    foot.append(links);
    entry.remove();
  }
}

const equip = async (form) => (await import(form.dataset.extras)).equip(form);

export function equipWhenUsed(form) {
  form.addEventListener("focusin", () => equip(form).catch(() => {}), { once: true });
}

export function adopt(place) {
  let form = place.querySelector("form");
  const draft = `draft-${form.dataset.post}`;
  const status = document.createElement("p");
  status.className = "comment-status";
  status.setAttribute("role", "status");
  place.append(status);

  function replyTo(floor) {
    form.elements.reply_to_floor.value = floor;
    const line = form.querySelector("[data-reply]");
    line.hidden = !floor;
    line.querySelector("output").textContent = floor;
  }

  function wire() {
    const known = recall("commenter");
    for (const name of REMEMBERED) {
      const field = form.elements[name];
      if (field && !field.value && known[name]) field.value = known[name];
    }
    const typed = recall(draft);
    if (typed.body && !form.elements.body.value) {
      form.elements.body.value = typed.body;
      form.elements.submission.value = typed.submission;
      if (!form.elements.reply_to_floor.value) replyTo(typed.reply_to_floor);
    }
    form.addEventListener("input", () => remember(draft, form, KEPT));
    form.addEventListener("submit", submit);
    equipWhenUsed(form);
    form.querySelector("[data-reply] button").addEventListener("click", (event) => {
      event.preventDefault(); // a reset would empty the text as well
      const floor = form.elements.reply_to_floor.value;
      replyTo("");
      place.append(form, status);
      (document.querySelector(`#floor-${floor} a.reply`) ?? form.elements.body).focus({ preventScroll: true });
    });
    offerOwn(form);
  }

  function put(fresh) {
    form.replaceWith(fresh);
    form = fresh;
    wire();
  }

  async function submit(event) {
    event.preventDefault();
    remember("commenter", form, REMEMBERED);
    remember(draft, form, KEPT);
    try {
      if (event.submitter?.hasAttribute("formaction")) { // the preview, asked for before its script had come
        await equip(form);
        event.submitter.click();
        return;
      }
      const { send } = await import(form.dataset.sender);
      await send({ place, status, form, put, replyTo, forget: () => forget(draft) });
    } catch {
      form.submit(); // as without scripts
    }
  }

  wire();
  // The comment it stood under may have been replaced, or be gone.
  place.closest(".comments")?.addEventListener("discussion", () => {
    if (form.isConnected) return;
    const floor = form.elements.reply_to_floor.value;
    (document.querySelector(`#floor-${floor} .comment-body`) ?? place).append(form, status);
  });

  return {
    // Puts the form under the comment of that floor, so that the reader keeps the place; without one where it is at home.
    answer(floor = "") {
      replyTo(floor);
      (document.querySelector(`#floor-${floor} .comment-body`) ?? place).append(form, status);
      status.textContent = "";
      form.elements[form.elements.author_name?.value === "" ? "author_name" : "body"].focus();
    },
    quote(text, floor) {
      if (floor) this.answer(floor);
      const { body } = form.elements;
      const before = body.value.trimEnd();
      const quoted = text.split("\n").map((line) => `> ${line}`).join("\n");
      body.value = `${before}${before && "\n\n"}${quoted}\n\n`;
      body.dispatchEvent(new Event("input", { bubbles: true }));
      body.focus();
      body.setSelectionRange(body.value.length, body.value.length);
    },
  };
}

export async function bring(place) {
  const answer = await fetch(place.dataset.form);
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  place.innerHTML = await answer.text();
  return adopt(place);
}
