// The text being written in a post's form is kept on this computer until the server has stored it. Each form has a copy of
// its own, so no tab writes over another's; all copies are listed, and none is put back over a newer text unseen.

import { all, newSlot, put, remove } from "./copies.js";
import { apply, sameValues, snapshot } from "./form-values.js";

const PAUSE_MS = 700;
const OLD_PREFIX = "blog-draft:"; // of copies that earlier releases kept in localStorage

const list = document.querySelector("#copies");
const form = document.querySelector("#post_form");
const words = list?.dataset ?? {};
const isNew = location.pathname === words.add;

const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const button = (text, action) => {
  const element = make("button", { type: "button", className: "button", textContent: text });
  element.addEventListener("click", action);
  return element;
};
const language = document.documentElement.lang || undefined;
const inWords = (at) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(at);

// A copy whose form is still open in another tab is held by a lock of its name.
async function heldElsewhere() {
  const held = (await navigator.locks?.query())?.held ?? [];
  return new Set(held.map(({ name }) => name));
}

async function forgetWhatIsStored() {
  for (const { dataset } of document.querySelectorAll("[data-stored]")) {
    const [slot, at] = dataset.stored.split(":");
    await remove(slot, Number(at));
  }
}

async function takeOverOldOnes() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(OLD_PREFIX) && name !== `${OLD_PREFIX}sent`)) {
    const { at, values } = JSON.parse(localStorage.getItem(key));
    const path = key.slice(OLD_PREFIX.length);
    await put({ slot: newSlot(), user: words.user, path, at, base: null, values, files: {} });
    localStorage.removeItem(key);
  }
}

// -- Keeping --------------------------------------------------------------------------------------------------------

function keep(start) {
  let slot = "";
  const state = make("span", { className: "copy-state" });
  form.querySelector(".submit-row")?.append(state);
  const base = form.elements.version?.value ?? "";
  let timer = 0;
  let last = JSON.stringify([start, {}]);
  let at = 0;
  let writtenAt = 0;

  const take = (copy) => {
    ({ slot, at = 0 } = copy);
    writtenAt = at;
    navigator.locks?.request(slot, () => new Promise(() => {}));
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
      state.removeAttribute("role");
      state.textContent = words.kept.replace("{time}", new Date(copy.at).toLocaleTimeString(language, { hour12: false }));
    } catch (error) {
      state.setAttribute("role", "alert");
      state.textContent = words.failed.replace("{reason}", error?.message || error?.name || "?");
    }
    return copy;
  };
  const soon = () => (timer ||= setTimeout(write, PAUSE_MS));
  // Not everything that changes a field says so: the calendar's links don't, and select2 tells jQuery alone.
  for (const type of ["input", "change", "click"]) form.addEventListener(type, soon);
  window.django?.jQuery?.(form).on("change", soon);
  addEventListener("pagehide", write);
  document.addEventListener("visibilitychange", () => document.hidden && write());
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    write();
    form.elements.copy.value = at ? `${slot}:${at}` : "";
  });
  return { take, write };
}

// -- Offering -------------------------------------------------------------------------------------------------------

function entry(copy, actions) {
  const title = copy.values.title || words.untitled;
  const size = words.size.replace("{count}", new Intl.NumberFormat().format((copy.values.body ?? "").length));
  const about = copy.replaced ? ` · ${words.replaced}` : "";
  const discard = button(words.discard, async () => {
    await remove(copy.slot, copy.at);
    item.remove();
    list.hidden = !list.querySelector("li");
  });
  const item = make("li", {}, make("b", { textContent: title }), ` · ${inWords(copy.at)} · ${size}${about} `, ...actions(copy, () => item), " ", discard);
  return item;
}

function show(copies, actions) {
  list.querySelector("ul").append(...copies.map((copy) => entry(copy, actions)));
  list.hidden = !list.querySelector("li");
}

function say(...texts) {
  const told = make("p", { className: "copies-told", textContent: texts.filter(Boolean).join(" ") });
  told.setAttribute("role", "status");
  list.querySelector(".copies-told")?.remove();
  list.append(told);
  list.hidden = false;
}

async function keepReplaced(values) {
  const copy = { slot: newSlot(), user: words.user, path: location.pathname, at: Date.now(), base: null, values, files: {} };
  await put({ ...copy, replaced: true });
  return { ...copy, replaced: true };
}

async function restore(kept, copy, item) {
  // The text that the copy replaces can be brought back in the same way.
  const present = (await kept.write()) ?? (isNew ? null : await keepReplaced(snapshot(form).values));
  if (present) show([present], offered(kept));
  kept.take(copy);
  const guarded = apply(form, copy.values);
  const files = Object.values(copy.files ?? {}).map((name) => words.file.replace("{name}", name));
  item.remove();
  say(words.back.replace("{time}", inWords(copy.at)), guarded && words.guarded, ...files);
  form.elements.title.focus();
}

function compare(kept, copy, item) {
  const text = (label, value, rows) =>
    make("label", {}, label, make("textarea", { readOnly: true, rows, value: value ?? "" }));
  const present = snapshot(form).values;
  const both = make("div", { className: "copies-both" });
  for (const name of ["title", "body", "summary"].filter((field) => (copy.values[field] ?? "") !== present[field])) {
    const rows = name === "body" ? 14 : 2;
    both.append(text(words.copy, copy.values[name], rows), text(words.present, present[name], rows));
  }
  const box = make("div", {}, make("p", { textContent: words.newer }), both);
  box.append(button(words.take, () => restore(kept, copy, item)), " ", button(words.keep, () => box.remove()));
  item.querySelector("div")?.remove();
  item.append(box);
}

const offered = (kept) => (copy, item) => {
  const isNewer = !isNew && copy.base !== form.elements.version?.value;
  return [button(isNewer ? words.compare : words.restore, () => (isNewer ? compare : restore)(kept, copy, item()))];
};

// In the list of posts: to the form; for a post that may be deleted by now, into a new one, too.
const linked = (copy) => {
  const link = (href, textContent) => make("a", { href, textContent, className: "button" });
  const links = [link(copy.path, words.open)];
  if (copy.path !== words.add) links.push(" ", link(`${words.add}#${copy.slot}`, words.asNew));
  return links;
};

// Under a conflict: what is stored stays at hand when the writer's own text is saved in its place.
function keepWhatIsOverwritten() {
  const box = form.elements.overwrite;
  box?.addEventListener("change", () => {
    if (!box.checked) return;
    const stored = [...document.querySelectorAll("[data-stored-field]")].map((element) => [
      element.dataset.storedField,
      element.value ?? element.textContent,
    ]);
    keepReplaced({ ...snapshot(form).values, ...Object.fromEntries(stored) });
  }, { once: true });
}

async function start() {
  await forgetWhatIsStored();
  await takeOverOldOnes();
  const held = await heldElsewhere();
  const copies = (await all(words.user)).filter(({ slot }) => !held.has(slot));
  if (!form) return show(copies, linked);
  const { values } = snapshot(form);
  const here = copies.filter(({ path, slot }) => path === location.pathname || (isNew && location.hash === `#${slot}`));
  // A form that was refused, or that the browser filled again, goes on with its copy.
  const same = here.find((copy) => !copy.replaced && sameValues(copy.values, values));
  const kept = keep(values);
  kept.take(same ?? { slot: newSlot() });
  keepWhatIsOverwritten();
  return show(here.filter((copy) => copy !== same), offered(kept));
}

if (list && (!form || form.elements.body)) start().catch((error) => form && say(words.failed.replace("{reason}", error.message)));
