// Keeps what is typed into the form: in this browser after a moment, on the server some seconds later, and says so beside
// the title.

import { newSlot, put } from "./copies.js";
import { button, language, make } from "./elements.js";
import { snapshot } from "./form-values.js";
import { ask, renewToken, saver } from "./server-drafts.js";
import { signIn } from "./sign-in.js";

const PAUSE_MS = 700;

// Whether the writer is still signed in; the form then has the token of this session.
async function isSignedIn(words) {
  const session = await ask(words.drafts);
  const isSame = String(session?.user) === words.user;
  if (isSame) renewToken(session.token);
  return isSame;
}

export function keep(form, words, start) {
  const addressOf = (slot) => `${words.draftAddress}${slot}/`;
  const check = () => isSignedIn(words);
  let slot = "";
  const state = make("span", { className: "copy-state" });
  (form.querySelector(".field-title") ?? form).append(state);
  const base = form.elements.version?.value ?? "";
  let timer = 0;
  let failure = "";
  let isTrouble = false; // on the way to the server; what this browser keeps goes without saying then
  let last = JSON.stringify([start, {}]);
  let at = 0;
  let writtenAt = 0;
  let release = () => {}; // the lock of the slot that this page writes

  const say = (text, isAlert, ...more) => {
    state.toggleAttribute("data-alert", isAlert);
    if (isAlert) state.setAttribute("role", "alert");
    else state.removeAttribute("role");
    if (state.textContent !== text || more.length) state.replaceChildren(text, ...more);
  };
  const clock = (moment) => new Date(moment).toLocaleTimeString(language, { hour12: false });
  const tell = ({ saved, signedOut, refused }) => {
    isTrouble = !saved;
    if (saved) return say(words.saved.replace("{time}", clock(saved)), false);
    const why = signedOut ? words.signedOut : (refused ?? words.offline);
    const text = `${why} ${failure || words.inBrowser}`;
    if (state.firstChild?.textContent === text) return null;
    return signedOut ? say(text, true, " ", button(words.signIn, signInAgain)) : say(text, true);
  };
  const server = saver({ addressOf, check, tell, post: Number(words.post) || null, moveOn: () => moveOn() });
  const signInAgain = async () => {
    const isIn = await signIn(words.drafts);
    if (isIn) server.now();
    return isIn;
  };

  const take = (copy) => {
    ({ slot, at = 0 } = copy);
    writtenAt = copy.isRemote ? 0 : at;
    server.take(copy.seen, at);
    if (at && at !== copy.seen) server.soon({ ...copy, base: copy.base ?? base });
    release();
    navigator.locks?.request(slot, () => new Promise((resolve) => (release = resolve)));
  };

  // Write what is new and return the copy there is, null of a form that nobody has touched.
  const write = async () => {
    clearTimeout(timer);
    timer = 0;
    const { values, files } = snapshot(form);
    const now = JSON.stringify([values, files]);
    if (now !== last) {
      last = now;
      at = Math.max(Date.now(), at + 1);
    }
    const copy = at ? { slot, user: words.user, path: location.pathname, at, base, values, files } : null;
    if (!copy || at === writtenAt) return copy;
    try {
      await put(copy);
      writtenAt = Math.max(writtenAt, copy.at);
      failure = "";
      if (!isTrouble) say(words.kept.replace("{time}", clock(Date.now())), false);
    } catch (error) {
      writtenAt = copy.at;
      failure = words.failed.replace("{reason}", error?.message || error?.name || "?");
      if (!isTrouble) say(failure, true);
    }
    server.soon(copy);
    return copy;
  };
  // Another page goes on with this draft, or it is gone: what is written here becomes one of its own.
  const moveOn = () => {
    take({ slot: newSlot() });
    last = "";
    write();
  };
  const soon = () => (timer ||= setTimeout(write, PAUSE_MS));
  // Not everything that changes a field says so: the calendar's links don't, and select2 tells jQuery alone.
  for (const type of ["input", "change", "click"]) form.addEventListener(type, soon);
  window.django?.jQuery?.(form).on("change", soon);
  addEventListener("pagehide", write);
  document.addEventListener("visibilitychange", async () => document.hidden && (await write()) && server.now());
  // Sent only when it is sure to arrive: a page of an error would take the form's place.
  let isChecked = false;
  let isChecking = false;
  form.addEventListener("submit", async (event) => {
    if (isChecked) {
      isChecked = false;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (isChecking) return;
    isChecking = true;
    const { submitter } = event;
    await write();
    try {
      isChecked = (await check()) || ((await signInAgain()) && (await check()));
      if (!isChecked) tell({ signedOut: true });
    } catch {
      tell({ offline: true });
    }
    isChecking = false;
    if (!isChecked) return;
    await server.stop();
    form.requestSubmit(submitter);
    isChecked = false;
  }, true);
  addEventListener("pageshow", server.resume);
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return server.resume();
    write();
    form.elements.copy.value = at ? `${slot}:${at}` : "";
    return null;
  });
  return { take, write };
}
