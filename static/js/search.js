// Titles offered under a search field while one types; without this the fields are ordinary forms.

const WAIT_MS = 150;

function setUp(input, number) {
  const address = new URL("suggest/", input.form.action);
  address.search = ""; // the page's own query, where the form names no address
  const list = document.createElement("ul");
  list.id = `suggestions-${number}`;
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels[0]?.textContent ?? "");
  input.after(list);
  input.autocomplete = "off";
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
  })) {
    input.setAttribute(name, value);
  }

  let active = -1;
  let timer;
  let request;
  let shown = "";

  function choose(index) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = list.children[active];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function open(isOpen) {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    choose(-1);
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    shown = "";
    open(false);
  }

  function show(suggestions) {
    list.replaceChildren(
      ...suggestions.map(({ title, url, lang }, index) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${index}`;
        option.dataset.url = url;
        option.textContent = title;
        option.lang = lang;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        return option;
      }),
    );
    open(suggestions.length > 0 && document.activeElement === input);
  }

  async function ask() {
    const typed = input.value.trim();
    if (typed === shown) return;
    request?.abort();
    if (!typed) return close();
    request = new AbortController();
    address.searchParams.set("q", typed);
    try {
      const answer = await fetch(address, { signal: request.signal });
      if (!answer.ok) return close();
      const { suggestions } = await answer.json();
      shown = typed;
      show(suggestions);
    } catch {
      // Overtaken by the next letter, or no network: the form still searches.
    }
  }

  function later(event) {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, WAIT_MS); // an input method has letters still to be chosen from
  }

  input.addEventListener("input", later);
  input.addEventListener("compositionend", later);
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const count = list.children.length;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault(); // the first one closes the list, the next empties the field
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count && shown) {
      event.preventDefault();
      if (list.hidden) open(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count + 1) % (count + 1));
    } else if (event.key === "Enter" && !list.hidden && active >= 0 && active < count) {
      event.preventDefault();
      location.assign(list.children[active].dataset.url);
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.url);
  });
}

document.querySelectorAll("form[role=search] input[type=search]").forEach(setUp);
