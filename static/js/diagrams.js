// Draws mermaid fences with the library from our own files; the source stays when it can't be drawn.

const LIBRARY = document.querySelector("[data-mermaid]")?.dataset.mermaid;
const blocks = [...document.querySelectorAll("pre.mermaid")].map((place) => ({ place, source: place.textContent }));

const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark"
  || (document.documentElement.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

// Read aloud, a diagram is a picture: with the title its author gave it (accTitle), else with the words in it.
function name(svg) {
  svg.setAttribute("role", "img");
  if (svg.hasAttribute("aria-labelledby")) return;
  const words = [...svg.querySelectorAll("foreignObject, text")].map((label) => label.textContent.trim());
  svg.setAttribute("aria-label", words.filter(Boolean).join(", "));
}

async function draw() {
  const theme = isDark() ? "dark" : "default";
  const themeVariables = isDark() ? { edgeLabelBackground: "#333333" } : {}; // mermaid's own grey is hard to read on
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme, themeVariables });
  for (const [number, { place, source }] of blocks.entries()) {
    try {
      const { svg } = await mermaid.render(`diagram-${number}`, source);
      const figure = document.createElement("div");
      figure.innerHTML = svg;
      name(figure.querySelector("svg"));
      place.replaceChildren(figure);
      place.dataset.drawn = theme;
    } catch {
      document.getElementById(`ddiagram-${number}`)?.remove(); // what mermaid leaves behind of a diagram it can't read
    }
  }
}

if (LIBRARY && blocks.length) {
  const script = document.createElement("script");
  script.src = LIBRARY;
  script.addEventListener("load", () => {
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  });
  document.head.append(script);
}
