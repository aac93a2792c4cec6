// The text being written in a post's form is kept in this browser and on the server until it is saved. Each form has a copy of
// its own, so no tab writes over another's; all copies are listed, and none is put back over a newer text unseen.

import { all, newSlot, put, remove } from "./copies.js";
import { button, language, make } from "./elements.js";
import { apply, sameValues, snapshot } from "./form-values.js";
import { keep } from "./keeping.js";
import { ask, discard, merged, withTexts } from "./server-drafts.js";

const OLD_PREFIX = "blog-draft:"; // of copies that earlier releases kept in localStorage

const list = document.querySelector("#copies");
const form = document.querySelector("#post_form");
const words = list?.dataset ?? {};
const isNew = location.pathname === words.add;
const addressOf = (slot) => `${words.draftAddress}${slot}/`;

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

function entry(copy, actions) {
  const body = copy.values?.body ?? "";
  const title = (copy.values ?? copy).title || words.untitled;
  const size = words.size.replace("{count}", new Intl.NumberFormat().format(copy.values ? body.length : copy.size));
  const lastLine = copy.last_line ?? body.trimEnd().split("\n").at(-1).slice(0, 200);
  const about = [inWords(copy.shownAt ?? copy.at), size, copy.isRemote && words.elsewhere, copy.replaced && words.replaced];
  const item = make("li", {}, make("b", { textContent: title }), ` · ${about.filter(Boolean).join(" · ")} `);
  if (lastLine && !form) item.append(make("p", { className: "quiet", textContent: lastLine }));
  item.append(...actions(copy, () => item), " ", button(words.discard, () => throwAway(copy, item, actions)));
  return item;
}

async function throwAway(copy, item, actions) {
  const [whole] = await withTexts([copy], addressOf);
  const isGone = copy.seen === undefined || (await discard(addressOf(copy.slot)).catch(() => false));
  if (!isGone) return say(words.stays);
  await remove(copy.slot);
  item.remove();
  list.hidden = !list.querySelector("li");
  if (!whole.values) return null;
  say(words.thrown.replace("{title}", whole.values.title || words.untitled));
  const undo = button(words.undo, async () => {
    const { isRemote, seen, shownAt, ...kept } = whole;
    const again = { ...kept, slot: newSlot(), user: words.user };
    await put(again);
    list.querySelector(".copies-told")?.remove();
    show([again], actions);
  });
  list.querySelector(".copies-told").append(" ", undo);
  return null;
}

function show(copies, actions) {
  list.querySelector("ul").append(...copies.map((copy) => entry(copy, actions)));
  list.hidden = !list.querySelector("li, .copies-told");
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

// The copies in this browser; one that keeps nothing says so, and the server's drafts are there all the same.
async function localCopies() {
  try {
    await forgetWhatIsStored();
    await takeOverOldOnes();
    return await all(words.user);
  } catch (error) {
    if (form) say(words.failed.replace("{reason}", error.message));
    return [];
  }
}

async function start() {
  // Typing may begin before the server has answered: it is kept from the first character, and the server's drafts follow.
  const opened = form && snapshot(form).values;
  let isTouched = false;
  const touched = new Promise((resolve) => form?.addEventListener("input", () => resolve((isTouched = true)), { once: true }));
  const drafts = ask(words.drafts).then((session) => session?.drafts ?? []).catch(() => []);
  const local = await localCopies();
  const held = await heldElsewhere();
  const free = (copies) => copies.filter(({ slot }) => !held.has(slot));
  if (!form) return show(free(merged(local, await drafts)), linked);
  const ofThisForm = async (copies) => {
    const isHere = ({ path, slot }) => path === location.pathname || (isNew && location.hash === `#${slot}`);
    return (await withTexts(free(copies).filter(isHere), addressOf)).filter((copy) => copy.values);
  };
  await Promise.race([drafts, touched]);
  const here = await ofThisForm(merged(local, isTouched ? [] : await drafts));
  const { values } = snapshot(form);
  // A form that was refused, or that the browser filled again, goes on with its copy.
  const same = here.find((copy) => !copy.replaced && sameValues(copy.values, values));
  const kept = keep(form, words, isTouched ? opened : values);
  kept.take(same ?? { slot: newSlot() });
  if (isTouched) kept.write();
  keepWhatIsOverwritten();
  show(here.filter((copy) => copy !== same), offered(kept));
  const known = new Set([...local, ...here].map(({ slot }) => slot));
  return show(await ofThisForm(merged([], (await drafts).filter(({ slot }) => !known.has(slot)))), offered(kept));
}

if (list && (!form || form.elements.body)) start();
