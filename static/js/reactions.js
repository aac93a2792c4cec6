// Reactions to the post and its comments: fetched when the reader comes near, one press each, no sign-in. Who the reader
// is, is a random id that the server signs at the first press; it is kept in this browser and sent nowhere else.

const place = document.querySelector("[data-reactions]");
const discussion = document.querySelector(".comments");
const words = place.dataset;
const kinds = JSON.parse(words.kinds); // [name, sign, label]
const known = new Map(); // floor (0: the post) -> { counts: {kind: number}, mine: [kind] }
const groups = new Map(); // floor -> the element that shows it
const NOTHING = { counts: {}, mine: [] };
let forgotten = ""; // the id, where storage is forbidden

function visitor(id) {
  try {
    if (id) localStorage.setItem("visitor", id);
    return localStorage.getItem("visitor") ?? forgotten;
  } catch {
    return (forgotten = id ?? forgotten);
  }
}

async function ask(message) {
  const answer = await fetch(words.reactions, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ visitor: visitor(), ...message }),
  });
  if (!answer.ok) throw new Error(answer.status);
  const { counts, mine, visitor: id } = await answer.json();
  if (id) visitor(id);
  const [first, last] = message.floors;
  for (const floor of [...groups.keys()].filter((floor) => !floor || (floor >= first && floor <= last))) {
    known.set(floor, { counts: counts[floor] ?? {}, mine: mine[floor] ?? [] });
    show(floor);
  }
}

function show(floor) {
  const { counts, mine } = known.get(floor) ?? NOTHING;
  for (const button of groups.get(floor).querySelectorAll("[data-kind]")) {
    const number = counts[button.dataset.kind] ?? 0;
    button.setAttribute("aria-pressed", mine.includes(button.dataset.kind));
    button.setAttribute("aria-label", `${button.title}: ${number}`);
    button.lastChild.textContent = number || "";
    button.toggleAttribute("data-none", !number);
  }
}

async function press(floor, button) {
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  const on = button.getAttribute("aria-pressed") !== "true";
  const group = groups.get(floor);
  group.querySelector("[role=status]").textContent = "";
  try {
    await ask({ floors: [floor, floor], floor, kind: button.dataset.kind, on });
  } catch {
    group.querySelector("[role=status]").textContent = words.failed;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function fill(group, floor) {
  for (const [kind, sign, label] of kinds) {
    const picture = element("span", { ariaHidden: "true" }, sign);
    const button = element("button", { type: "button", title: label }, picture, element("span", { ariaHidden: "true" }));
    button.dataset.kind = kind;
    button.addEventListener("click", () => press(floor, button));
    group.append(button);
  }
  group.append(element("span", { role: "status", className: "quiet" }));
  groups.set(floor, group);
  show(floor);
}

// Under a comment stand the signs that somebody has given; a button brings the others.
function equip(comment) {
  const floor = Number(comment.id.replace("floor-", ""));
  if (comment.matches(".comment-hidden") || comment.contains(groups.get(floor) ?? null)) return;
  const body = comment.querySelector(".comment-body");
  let foot = body.querySelector(":scope > .comment-foot");
  if (!foot) body.append((foot = element("p", { className: "comment-foot" })));
  const group = element("span", { className: "reactions", role: "group", ariaLabel: words.label });
  const more = element("button", { type: "button", className: "more", ariaLabel: words.more, title: words.more }, "☺+");
  more.setAttribute("aria-expanded", "false");
  more.addEventListener("click", () => more.setAttribute("aria-expanded", group.toggleAttribute("data-all")));
  group.append(more);
  fill(group, floor);
  foot.append(group);
}

function equipAll() {
  discussion.querySelectorAll("li.comment").forEach(equip);
}

fill(place, 0);
if (discussion) {
  equipAll();
  new MutationObserver(equipAll).observe(discussion, { childList: true, subtree: true }); // others answer meanwhile
}
const near = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  near.disconnect();
  const floors = [...groups.keys()].filter(Boolean);
  ask({ floors: [Math.min(...floors, 2 ** 31 - 1), Math.max(...floors, 0)] }).catch(() => {}); // no numbers, then
}, { rootMargin: "400px" });
near.observe(place);
if (discussion) near.observe(discussion);
