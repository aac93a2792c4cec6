// Brings the comment form into the page when the reader gets there, and what helps writing when it is wanted.

const place = document.querySelector("[data-script]");
let loading;

function load() {
  loading ??= import(place.dataset.script).then(({ bring }) => bring(place));
  return loading.catch((error) => {
    loading = undefined; // the link stays, and leads to a page of its own
    throw error;
  });
}

if (place?.dataset.form) {
  // Where the form is near from the beginning, it waits for a sign that somebody is reading, or stays.
  const awake = new Promise((resolve) => {
    for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) {
      addEventListener(sign, resolve, { once: true, passive: true });
    }
    setTimeout(resolve, 5000);
  });
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    awake.then(load).catch(() => {});
  }, { rootMargin: "400px" }).observe(place);

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.reply, [data-form] a.button");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      (await load()).answer(link.dataset.floor);
    } catch {
      location.assign(link.href);
    }
  });

  document.addEventListener("selectionchange", async function watch() {
    if (getSelection().isCollapsed) return;
    document.removeEventListener("selectionchange", watch);
    (await import(place.dataset.quoteScript)).watch(place.dataset.quote, load);
  });
} else if (place) {
  import(place.dataset.script).then(({ adopt, equipWhenUsed }) => {
    if (place.querySelector(".comment-form")) adopt(place);
    else equipWhenUsed(place.querySelector("form"));
  });
}
