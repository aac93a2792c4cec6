// Copies of what is being written, on this computer's disk: IndexedDB with strict durability, as localStorage reaches the
// disk only about once a minute.

const STORE = "copies";
const KEPT_MS = 30 * 24 * 3600 * 1000;

const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("blog-copies", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "slot" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  }).catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

async function writing() {
  const transaction = (await open()).transaction(STORE, "readwrite", { durability: "strict" });
  return { store: transaction.objectStore(STORE), written: done(transaction) };
}

export async function put(copy) {
  const { store, written } = await writing();
  store.put(copy);
  await written;
}

// Forget a copy; with `at`, only as it was then: what was typed after it was sent stays.
export async function remove(slot, at) {
  const { store, written } = await writing();
  if (at === undefined) store.delete(slot);
  else if ((await answer(store.get(slot)))?.at === at) store.delete(slot);
  await written;
}

// All copies of this user, the latest first; those that nobody wanted for a month are forgotten.
export async function all(user) {
  const found = await answer((await open()).transaction(STORE).objectStore(STORE).getAll());
  const old = found.filter(({ at }) => Date.now() - at > KEPT_MS);
  await Promise.all(old.map(({ slot }) => remove(slot)));
  return found.filter((copy) => copy.user === user && !old.includes(copy)).sort((one, other) => other.at - one.at);
}

// crypto.randomUUID is there on https alone.
export function newSlot() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
