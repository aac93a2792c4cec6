// A form that was refused: the focus is on the first field in error, and a link to a field opens the fold it stands in.

function show(link) {
  const field = document.getElementById(link.hash.slice(1));
  if (!field) return false;
  for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  field.focus();
  field.scrollIntoView({ block: "center" });
  return true;
}

const links = [...document.querySelectorAll(".faulty-fields a")];
for (const link of links) {
  link.addEventListener("click", (event) => {
    if (show(link)) event.preventDefault();
  });
}
addEventListener("load", () => links.length && show(links[0]));
