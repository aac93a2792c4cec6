// Additions to a post by scripts.

const words = document.querySelector("[data-words]")?.dataset ?? {};

function followContents(toc) {
  const wide = matchMedia("(min-width: 64rem)");
  const fold = () => (toc.open = wide.matches);
  fold();
  wide.addEventListener("change", fold);
  const headingOf = (link) => document.getElementById(decodeURIComponent(link.hash.slice(1)));
  const links = [...toc.querySelectorAll("a")].filter(headingOf);
  let current, frame;
  const mark = () => {
    frame = 0;
    const isAtEnd = scrollY && scrollY + innerHeight > document.body.scrollHeight - 2;
    const isPassed = (link) => isAtEnd || headingOf(link).getBoundingClientRect().top < innerHeight / 4;
    const link = links.findLast(isPassed) ?? links[0];
    if (link === current) return;
    current?.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
    current = link;
    if (wide.matches) toc.scrollTop = link.offsetTop - toc.clientHeight / 2;
  };
  const soon = () => (frame ||= requestAnimationFrame(mark));
  for (const event of ["scroll", "scrollend", "resize"]) addEventListener(event, soon, { passive: true });
  new ResizeObserver(soon).observe(document.body); // also at once
}

function button(label, action) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = label;
  element.addEventListener("click", () => action(element));
  return element;
}

async function copy(text, element) {
  const label = element.textContent;
  try {
    await navigator.clipboard.writeText(text);
    element.textContent = words.copied;
  } catch {
    element.textContent = words.copyFailed;
  }
  setTimeout(() => (element.textContent = label), 2000);
}

function equipCode(block) {
  const code = block.querySelector("code");
  const tools = document.createElement("div");
  tools.className = "code-tools";
  tools.lang = document.documentElement.lang;
  tools.append(
    block.dataset.lang ?? "",
    button(words.wrap, (element) => element.setAttribute("aria-pressed", block.classList.toggle("wrapped"))),
    button(words.copy, (element) => copy(code.textContent, element)),
  );
  block.append(tools);
}

function enlarge(image) {
  const dialog = document.createElement("dialog");
  dialog.className = "lightbox";
  const close = button("", () => dialog.close());
  close.setAttribute("aria-label", words.close);
  const large = new Image();
  large.src = image.currentSrc || image.src;
  large.alt = image.alt;
  close.append(large);
  dialog.append(close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function makeZoomable(image) {
  if (image.closest("a")) return;
  image.classList.add("zoomable");
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  image.addEventListener("click", () => enlarge(image));
  image.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    enlarge(image);
  });
}

function equipShare(place) {
  const url = document.querySelector("link[rel=canonical]")?.href ?? location.href;
  const share = () => navigator.share({ title: document.title, url }).catch(() => {});
  place.append(navigator.share ? button(words.share, share) : button(words.copyLink, (element) => copy(url, element)));
}

// At what scrolls sideways.
function letTabStop() {
  document.querySelectorAll(".math, .prose :is(pre, table, :has(math))").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  });
}

const toc = document.querySelector(".toc");
if (toc) followContents(toc);
new ResizeObserver(letTabStop).observe(document.body);
document.querySelectorAll(".post .code").forEach(equipCode);
document.querySelectorAll(".post .prose img").forEach(makeZoomable);
document.querySelectorAll(".share").forEach(equipShare);
