// The bar's menus: Escape closes the open one, and one that lies over the page closes when the reader goes elsewhere.

const bar = document.querySelector(".navbar");
const openMenu = () => bar.querySelector("nav details[open]");
const covers = (menu) => getComputedStyle(menu.querySelector("ul")).position === "absolute";

function leave(event) {
  const menu = openMenu();
  if (menu && !menu.contains(event.target) && covers(menu)) menu.open = false;
}

if (bar) {
  document.addEventListener("click", leave);
  document.addEventListener("focusin", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || (event.target !== document.body && !bar.contains(event.target))) return;
    if (event.defaultPrevented || event.target.value) return; // then Escape is the search field's
    const menu = openMenu() ?? bar.querySelector(".burger[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
