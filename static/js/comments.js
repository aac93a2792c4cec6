// Leads #floor-n to the page that holds it, and fetches what makes the discussion alive once a reader comes near or stays.

const STAYS_SECONDS = 5;
const section = document.querySelector("[data-floors]");

function lead() {
  const floor = Number(/^#floor-([0-9]+)$/.exec(location.hash)?.[1]);
  const page = Math.ceil(floor / section.dataset.floorsPerPage);
  if (!floor || floor > section.dataset.lastFloor || page === Number(section.dataset.page)) return;
  if (document.getElementById(`floor-${floor}`)) return;
  const address = new URL(location);
  address.searchParams.delete("page");
  if (page > 1) address.searchParams.set("page", page);
  location.replace(address);
}

if (section) {
  lead();
  addEventListener("hashchange", lead);
  const load = () => {
    observer.disconnect();
    section.dataset.scripts.split(" ").forEach((script) => import(script));
  };
  const observer = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && load(),
    { rootMargin: "400px" },
  );
  observer.observe(section);
  setTimeout(load, STAYS_SECONDS * 1000);
}
