// Replies: the answered comment's words beside the link to it, and the page's comments by threads if the reader wants.

const DEEPEST = 4;
const QUOTED_CHARACTERS = 80;
const section = document.querySelector("[data-floors]");
const list = section.querySelector("ol");
const words = section.dataset;
const elsewhere = new Map(); // comments of other pages, once they were asked for

const floorOf = (item) => Number(item.id.replace("floor-", ""));
const comments = () => [...section.querySelectorAll(".comment")];
const answered = (item) => document.getElementById(`floor-${item.dataset.answers}`);
const line = (item) => item.querySelector(":scope > .comment-body > .reply-to");
const text = (item) => item.querySelector(":scope > .comment-body > :is(.prose, .quiet)");

// -- What was answered ----------------------------------------------------------------------------------------------------

function firstWords(item) {
  const said = text(item).textContent.trim().replace(/\s+/g, " ");
  const characters = [...said];
  const author = item.querySelector(".comment-author").textContent;
  return `${author}: ${characters.slice(0, QUOTED_CHARACTERS).join("")}${characters.length > QUOTED_CHARACTERS ? "…" : ""}`;
}

async function whole(item) {
  const floor = Number(item.dataset.answers);
  const here = answered(item);
  if (here) return text(here);
  if (!elsewhere.has(floor)) {
    const answer = await fetch(`${words.floors}?after=${floor - 1}&to=${floor}`);
    if (!answer.ok) throw new Error(answer.status);
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    elsewhere.set(floor, template.content.querySelector(".comment"));
  }
  return elsewhere.get(floor) && text(elsewhere.get(floor));
}

async function toggle(item, button) {
  const place = line(item);
  const open = button.getAttribute("aria-expanded") !== "true";
  if (open) {
    const quote = document.createElement("blockquote");
    quote.className = "answered";
    try {
      const said = (await whole(item))?.cloneNode(true);
      said?.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
      quote.append(said ?? words.gone);
    } catch {
      location.assign(place.querySelector("a").href);
      return;
    }
    place.nextElementSibling?.matches(".answered") && place.nextElementSibling.remove();
    place.after(quote);
  } else {
    place.nextElementSibling.remove();
  }
  button.setAttribute("aria-expanded", open);
  button.textContent = open ? words.hide : words.show;
}

function quote(item) {
  const place = line(item);
  const parent = answered(item);
  place.querySelector(".quoted")?.remove();
  if (parent) {
    const quoted = document.createElement("span");
    quoted.className = "quoted";
    quoted.textContent = firstWords(parent);
    place.querySelector("a").after(quoted);
  }
  if (place.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = words.show;
  button.setAttribute("aria-expanded", false);
  button.addEventListener("click", () => toggle(item, button));
  place.append(button);
}

// -- By threads -------------------------------------------------------------------------------------------------------------

const REMEMBERED = "comments-by-threads";
let threaded = false;
try {
  threaded = localStorage.getItem(REMEMBERED) === "yes";
} catch {} // a browser that keeps nothing

function arrange() {
  const items = comments().sort((a, b) => floorOf(a) - floorOf(b));
  if (!threaded && items.every((item) => item.parentElement === list)) return;
  const held = document.activeElement;
  const depth = new Map();
  for (const item of items) {
    const parent = threaded && item.dataset.answers ? answered(item) : null;
    depth.set(item, parent ? depth.get(parent) + 1 : 0);
    if (!parent) list.append(item);
    else if (depth.get(parent) >= DEEPEST) parent.parentElement.append(item);
    else {
      let answers = parent.querySelector(":scope > .answers");
      if (!answers) {
        answers = document.createElement("ol");
        answers.className = "answers";
        parent.append(answers);
      }
      answers.append(item);
    }
  }
  section.querySelectorAll(".answers:empty").forEach((empty) => empty.remove());
  if (held !== document.activeElement) held?.focus({ preventScroll: true });
}

const button = document.createElement("button");
button.type = "button";
button.className = "plain threads";
button.textContent = words.threads;
button.addEventListener("click", () => {
  threaded = !threaded;
  try {
    localStorage.setItem(REMEMBERED, threaded ? "yes" : "no");
  } catch {} // as above
  show();
});
section.querySelector(".comments-head").append(button);

function show(changed = []) {
  changed.forEach((floor) => elsewhere.delete(floor));
  const answers = comments().filter((item) => item.dataset.answers);
  answers.forEach(quote);
  button.hidden = !answers.length;
  button.setAttribute("aria-pressed", threaded);
  arrange();
}

section.addEventListener("discussion", (event) => show(event.detail));
show();
