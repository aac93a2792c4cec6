// Sends a comment without leaving the page.

const ATTEMPTS = 3; // the server stores once what is sent twice
const PATIENCE_SECONDS = 20;

function formIn(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector(".comment-form");
}

async function post(form) {
  const body = new URLSearchParams(new FormData(form));
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      const signal = AbortSignal.timeout(PATIENCE_SECONDS * 1000);
      const answer = await fetch(`${form.getAttribute("action")}?part`, { method: "POST", body, signal });
      if (answer.status < 500) return answer;
    } catch {} // no answer: it may have been stored all the same
    await new Promise((resolve) => setTimeout(resolve, 700 * attempt));
  }
  return null;
}

function refused({ status, form, put }, code, html) {
  const fresh = formIn(html);
  if (fresh) {
    put(fresh);
    (fresh.querySelector("[aria-invalid=true]") ?? fresh.elements.body).focus();
  } else if (code === 403) {
    status.innerHTML = html; // comments have been closed meanwhile
  } else {
    form.submit(); // to the page that explains it
  }
}

async function sent({ place, status, form, put, replyTo, forget }, { floor, url, html }) {
  forget();
  const list = document.querySelector(".comments > ol");
  if (html && !list) {
    location.assign(url);
    return;
  }
  if (html && !document.getElementById(`floor-${floor}`)) {
    list.querySelector(":scope > .quiet")?.remove();
    list.insertAdjacentHTML("beforeend", html);
    list.parentElement.dispatchEvent(new CustomEvent("discussion", { detail: [floor] }));
  }
  const comment = document.getElementById(`floor-${floor}`);
  document.querySelector(".comment-new")?.classList.remove("comment-new");
  comment?.classList.add("comment-new");
  const words = document.createElement(html ? "a" : "span");
  words.textContent = html ? form.dataset.sent.replace("{floor}", floor) : form.dataset.held;
  if (html) words.href = `#floor-${floor}`;
  words.tabIndex = html ? 0 : -1;
  status.replaceChildren(words);
  form.elements.body.value = "";
  replyTo("");
  words.focus({ preventScroll: true });
  if (form.parentElement === place) comment?.scrollIntoView({ block: "nearest" }); // who replied keeps the place
  place.prepend(form); // the words stay where the form was
  const answer = await fetch(`${form.getAttribute("action")}?part`).catch(() => null);
  const fresh = answer?.ok && formIn(await answer.text());
  if (fresh) put(fresh);
}

// `writer` is what comment-writing.js knows of the form.
export async function send(writer) {
  const { status, form } = writer;
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  status.textContent = form.dataset.sending;
  const answer = await post(form);
  form.removeAttribute("aria-busy");
  status.textContent = answer ? "" : form.dataset.failed;
  if (answer?.status === 201) await sent(writer, await answer.json());
  else if (answer) refused(writer, answer.status, await answer.text());
}
