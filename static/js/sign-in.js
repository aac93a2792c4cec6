// Signing in again on the page, so that nothing that is written there is left.

import { ask, renewToken } from "./server-drafts.js";

const dialog = document.querySelector("#sign-in");

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
const reasonIn = (page) => page.querySelector(".errornote, .errorlist")?.textContent.trim();

// Returns why not, nothing when it went well.
async function tryOnce(form, address) {
  const { login } = dialog.dataset;
  const page = await (await fetch(login)).text();
  const fields = new FormData(form);
  fields.append("csrfmiddlewaretoken", parsed(page).querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
  fields.append("next", address);
  const answer = await fetch(login, { method: "POST", body: fields });
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) {
    return reasonIn(parsed(await answer.text())) || dialog.dataset.failed;
  }
  const session = await ask(address);
  if (!session) return dialog.dataset.failed;
  if (String(session.user) !== dialog.dataset.user) return dialog.dataset.other;
  renewToken(session.token);
  return "";
}

// Resolves to whether the writer is signed in again.
export function signIn(address) {
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector("[role=alert]");
  problem.textContent = "";
  return new Promise((resolve) => {
    let isIn = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      const submit = form.querySelector("[type=submit]");
      submit.disabled = true;
      const why = await tryOnce(form, address).catch(() => dialog.dataset.offline);
      submit.disabled = false;
      problem.textContent = why;
      if (why) return form.elements.password.select();
      form.elements.password.value = "";
      isIn = true;
      return dialog.close();
    };
    dialog.querySelector("[type=button]").onclick = () => dialog.close();
    dialog.onclose = () => resolve(isIn);
    if (!dialog.open) dialog.showModal();
    (form.elements.username.value ? form.elements.password : form.elements.username).focus();
  });
}
