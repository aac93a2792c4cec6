// Drafts on the server: what is typed is sent every few seconds, and those of other browsers are read.

import { newSlot } from "./copies.js";

const PAUSE_MS = 2300; // after the copy in this browser, which comes 0.7 s after the first change
const LONGEST_MS = 60_000;
const MOST_READ = 10;

// As a copy of copies.js: `at` is the place in the order of changes, `shownAt` the server's time.
const asCopy = ({ sequence, saved_at: savedAt, ...entry }) => ({
  ...entry,
  at: sequence,
  seen: sequence,
  shownAt: Date.parse(savedAt),
  isRemote: true,
});

// The account that is signed in, with the token and the drafts; null without one. Throws when the server is away.
export async function ask(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15_000) });
  if (answer.status === 403) return null;
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// Of the same text the newer one stands.
export function merged(local, drafts) {
  const copies = new Map(local.map((copy) => [copy.slot, copy]));
  for (const draft of drafts.map(asCopy)) {
    const own = copies.get(draft.slot);
    copies.set(draft.slot, own && own.at >= draft.at ? { ...own, seen: draft.seen } : draft);
  }
  const time = (copy) => copy.shownAt ?? copy.at;
  return [...copies.values()].sort((one, other) => time(other) - time(one));
}

// With their texts, which the list leaves out.
export const withTexts = (copies, addressOf) =>
  Promise.all(
    copies.map(async (copy, place) => {
      if (copy.values || place >= MOST_READ) return copy;
      const { values, files } = (await ask(addressOf(copy.slot)).catch(() => null)) ?? {};
      return { ...copy, values, files };
    }),
  );

export const renewToken = (token) => {
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
};
export const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

export const discard = (address) =>
  fetch(address, { method: "DELETE", headers: { "X-CSRFToken": token() } }).then(({ status }) => status === 204);

// Sends the latest copy some seconds after a change. `tell` hears {saved: time}, {signedOut}, {offline}, {refused: words};
// `moveOn` is called when another page writes this draft.
export function saver({ addressOf, check, tell, moveOn, post }) {
  const holder = newSlot();
  let latest = null;
  let acknowledged = 0;
  let after = 0;
  let timer = 0;
  let under = null; // the request on its way
  let isStopped = false;
  let wait = PAUSE_MS;

  const later = (ms) => {
    if (!isStopped) timer ||= setTimeout(send, ms);
  };
  const again = () => {
    wait = Math.min(wait * 2, LONGEST_MS);
    later(wait);
  };

  async function deliver(copy, isSecond = false) {
    const { values, files, at, base, slot } = copy;
    const body = JSON.stringify({ values, files, base, post, holder, sequence: at, after });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token() };
    const signal = AbortSignal.timeout(30_000);
    const answer = await fetch(addressOf(slot), { method: "POST", headers, body, signal });
    if (answer.status !== 403 || isSecond) return answer;
    // Signed out, or signed in anew in another tab, which changes the token.
    return (await check()) ? deliver(copy, true) : answer;
  }

  async function send() {
    timer = 0;
    const copy = latest;
    if (isStopped || under || !copy || copy.at === acknowledged) return;
    try {
      under = deliver(copy);
      const answer = await under;
      const said = await answer.json().catch(() => ({}));
      if (answer.ok) {
        acknowledged = copy.at;
        after = said.sequence;
        wait = PAUSE_MS;
        tell({ saved: Date.parse(said.saved_at) });
      } else if (answer.status === 409) {
        after = acknowledged = 0;
        latest = null;
        moveOn();
      } else if (answer.status === 403) {
        tell({ signedOut: true });
        again();
      } else if (answer.status === 429) {
        tell({ refused: said.error });
        later(1000 * (Number(answer.headers.get("Retry-After")) || 60));
      } else {
        tell(said.error ? { refused: said.error } : { offline: true });
        again();
      }
    } catch {
      tell({ offline: true });
      again();
    } finally {
      under = null;
      if (latest && latest.at !== acknowledged) later(PAUSE_MS);
    }
  }

  const now = () => {
    clearTimeout(timer);
    timer = 0;
    wait = PAUSE_MS;
    return send();
  };
  addEventListener("online", now);
  return {
    now,
    soon: (copy) => {
      latest = copy;
      later(PAUSE_MS);
    },
    take: (seen = 0, at = 0) => {
      after = seen;
      acknowledged = seen === at ? at : 0;
      latest = null;
    },
    // Nothing may follow the form that takes the draft's place.
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      timer = 0;
      await under?.catch(() => {});
    },
    resume: () => (isStopped = false),
  };
}
