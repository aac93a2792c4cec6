// Puts the comment form into the page when the reader gets there; name and e-mail are remembered in this browser only.

const REMEMBERED = ["author_name", "author_email", "author_site"];
const place = document.querySelector("[data-form]");
let loading;

function remember(form) {
  const entries = REMEMBERED.map((name) => [name, form.elements[name]?.value ?? ""]);
  localStorage.setItem("commenter", JSON.stringify(Object.fromEntries(entries)));
}

function recall(form) {
  const known = JSON.parse(localStorage.getItem("commenter") ?? "{}");
  for (const name of REMEMBERED) {
    const field = form.elements[name];
    if (field && !field.value && known[name]) field.value = known[name];
  }
}

function replyTo(form, floor) {
  form.elements.reply_to_floor.value = floor;
  const line = form.querySelector("[data-reply]");
  line.hidden = !floor;
  line.querySelector("output").textContent = floor;
}

function wire(form) {
  recall(form);
  form.addEventListener("submit", () => {
    remember(form);
    form.querySelector("[type=submit]").disabled = true; // a second click would send it twice
  });
  form.querySelector("[data-reply] button").addEventListener("click", (event) => {
    event.preventDefault(); // a reset would empty the text as well
    replyTo(form, "");
  });
  return form;
}

function load() {
  loading ??= fetch(place.dataset.form).then(async (answer) => {
    if (!answer.ok) throw new Error(answer.status);
    place.innerHTML = await answer.text();
    return wire(place.querySelector("form"));
  });
  return loading.catch((error) => {
    loading = undefined; // the link stays, and leads to a page of its own
    throw error;
  });
}

if (place) {
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    load().catch(() => {});
  }, { rootMargin: "400px" }).observe(place);

  // The same load for every way to the form: two requests at once would bring two tokens, of which one is void.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.reply, [data-form] a.button");
    if (!link) return;
    event.preventDefault();
    try {
      const form = await load();
      if (link.dataset.floor) replyTo(form, link.dataset.floor);
      form.elements[form.elements.author_name?.value === "" ? "author_name" : "body"].focus();
    } catch {
      location.assign(link.href);
    }
  });
} else {
  const form = document.querySelector(".comment-form");
  if (form) wire(form);
}
