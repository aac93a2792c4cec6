// The way back up appears once the top of the page is out of sight.

const link = document.querySelector(".to-top");
const header = document.querySelector("header");
if (link && header) new IntersectionObserver(([entry]) => (link.hidden = entry.isIntersecting)).observe(header);
