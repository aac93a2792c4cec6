// Changes of the discussion while the page is open: new comments, changed ones, how many are reading.

const SIGN_OF_LIFE_SECONDS = 25;
const SILENT_SECONDS = 60; // after that the connection is taken for dead
const LONGEST_PAUSE_SECONDS = 60;
const ASLEEP_SECONDS = 300; // in a tab that nobody looks at
const MOST_ADDED = 500; // comments; beyond them a link leads on
const MOST_SPREAD_MS = 500;

const section = document.querySelector("[data-floors]");
const list = section.querySelector("ol");
const notice = section.querySelector(".newcomers");
const status = section.querySelector("[data-announced]");
const words = section.dataset;
const perPage = Number(words.floorsPerPage);
const first = (words.page - 1) * perPage + 1;
const isLastPage = words.page * perPage >= words.lastFloor;

let last = Number(words.lastFloor); // the highest floor this page has dealt with
let wanted = last;
let edition = "";
let readers = 1;
let added = 0;
let working = false;
const changed = new Set();

const floorOf = (item) => Number(item.id.replace("floor-", ""));
const seconds = (number) => new Promise((resolve) => setTimeout(resolve, number * 1000));

async function fetched(after, to, edition) {
  const answer = await fetch(`${words.floors}?after=${after}&to=${to}${edition ? `&edition=${edition}` : ""}`);
  if (!answer.ok) throw new Error(answer.status);
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  return [...template.content.children];
}

// The form must not move away from a reader who is writing below.
function keepingPlace(change) {
  const held = section.querySelector("form :focus");
  const before = held?.getBoundingClientRect().top;
  change();
  if (held) scrollBy({ top: held.getBoundingClientRect().top - before, behavior: "instant" });
}

function insert(item) {
  const present = document.getElementById(item.id);
  const next = [...list.children].find((other) => floorOf(other) > floorOf(item));
  keepingPlace(() => {
    list.querySelector(":scope > .quiet")?.remove();
    if (present) {
      const answers = present.querySelector(":scope > ol"); // of the view by threads
      if (answers) item.append(answers);
      present.replaceWith(item);
    } else list.insertBefore(item, next ?? null);
  });
}

function tell(floors) {
  section.dispatchEvent(new CustomEvent("discussion", { detail: floors }));
}

function announce(items) {
  if (!items.length) return;
  status.textContent = items.slice(-3).map((item) => words.announcement
    .replace("{floor}", floorOf(item))
    .replace("{name}", item.querySelector(".comment-author").textContent)).join(" ");
}

function showNotice(floor) {
  const link = notice.querySelector("a");
  const address = new URL(location);
  address.searchParams.delete("page");
  const page = Math.ceil(floor / perPage);
  if (page > 1) address.searchParams.set("page", page);
  address.hash = `floor-${floor}`;
  link.href = address;
  link.onclick = (click) => {
    if (link.pathname !== location.pathname || link.search !== location.search) return;
    click.preventDefault(); // the same page with another hash would not be fetched again
    location.hash = link.hash;
    location.reload();
  };
  notice.hidden = false;
}

async function add() {
  while (wanted > last) {
    if (!isLastPage || added >= MOST_ADDED) {
      last = wanted;
      showNotice(wanted);
      return;
    }
    const to = Math.min(last + perPage, wanted);
    const items = (await fetched(last, to)).filter((item) => !document.getElementById(item.id));
    for (const item of items) {
      item.classList.add("comment-new");
      insert(item);
    }
    last = to;
    added += items.length;
    announce(items);
    tell(items.map(floorOf));
  }
}

// A window of floors at a time: whatever became of them, the page then shows what the server does.
async function lookAgain() {
  const end = isLastPage ? last : Math.min(last, words.page * perPage);
  const here = [...changed].filter((floor) => floor >= first && floor <= end).sort((a, b) => a - b);
  changed.clear();
  while (here.length) {
    const from = here[0];
    const to = Math.min(from + perPage - 1, end);
    const floors = here.splice(0, here.filter((floor) => floor <= to).length);
    let items;
    try {
      items = new Map((await fetched(from - 1, to, edition)).map((item) => [floorOf(item), item]));
    } catch (error) {
      [...floors, ...here].forEach((floor) => changed.add(floor));
      throw error;
    }
    for (const floor of floors) {
      const item = items.get(floor);
      if (item) insert(item);
      else remove(document.getElementById(`floor-${floor}`));
    }
    tell(floors);
  }
}

function remove(item) {
  if (!item) return;
  keepingPlace(() => {
    item.querySelectorAll(".comment").forEach((answer) => list.append(answer)); // put in order by who hears of it
    item.remove();
  });
}

async function work() {
  if (working) return;
  working = true;
  try {
    // A thousand pages need not ask in the same moment.
    await seconds((Math.random() * Math.min(readers, MOST_SPREAD_MS)) / 1000);
    while (wanted > last || changed.size) {
      await add();
      await lookAgain();
    }
  } catch {
    setTimeout(work, (3 + 4 * Math.random()) * 1000);
  } finally {
    working = false;
  }
}

function hear(news) {
  if (news.floor > wanted) wanted = news.floor;
  news.changed?.forEach((floor) => changed.add(floor));
  edition = news.edition ?? edition;
  if (news.readers !== undefined) showReaders(news.readers);
  if (wanted > last || changed.size) work();
}

const readersPlace = document.createElement("span");
readersPlace.className = "readers";
section.querySelector(".comments-head h2").after(readersPlace);

function showReaders(number) {
  readers = number;
  readersPlace.textContent = number ? words.reading.replace("{number}", number) : "";
}

// -- The connection -----------------------------------------------------------------------------------------------------

let socket;
let heardAt;
let pause = 1;
let reconnecting;

function connect() {
  clearTimeout(reconnecting);
  disconnect();
  const mine = new WebSocket(new URL(words.live, location.href.replace(/^http/, "ws")));
  socket = mine;
  heardAt = Date.now();
  mine.addEventListener("message", (event) => {
    heardAt = Date.now();
    pause = 1;
    if (mine === socket) hear(JSON.parse(event.data));
  });
  mine.addEventListener("close", () => {
    if (mine === socket) reconnect();
  });
}

function disconnect() {
  const old = socket;
  socket = undefined;
  old?.close();
}

function reconnect() {
  disconnect();
  showReaders(0);
  reconnecting = setTimeout(connect, pause * 1000 * (0.5 + Math.random()));
  pause = Math.min(pause * 2, LONGEST_PAUSE_SECONDS);
}

function sleep() {
  clearTimeout(reconnecting);
  disconnect();
}

function wake() {
  if (socket) return;
  pause = 1;
  connect();
}

setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (Date.now() - heardAt > SILENT_SECONDS * 1000) reconnect();
  else socket.send("."); // a sign of life; it is answered
}, SIGN_OF_LIFE_SECONDS * 1000);

let fallingAsleep;
document.addEventListener("visibilitychange", () => {
  clearTimeout(fallingAsleep);
  if (document.hidden) fallingAsleep = setTimeout(sleep, ASLEEP_SECONDS * 1000);
  else wake();
});
addEventListener("online", wake);
addEventListener("pagehide", sleep);
addEventListener("pageshow", (event) => event.persisted && wake());

connect();
