// Draws mermaid fences with the library from our own files; the source stays when it can't be drawn.

const LIBRARY = document.querySelector("[data-mermaid]")?.dataset.mermaid;
const blocks = [...document.querySelectorAll("pre.mermaid")].map((place) => ({ place, source: place.textContent }));

const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark"
  || (document.documentElement.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

async function draw() {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: isDark() ? "dark" : "default" });
  for (const [number, { place, source }] of blocks.entries()) {
    try {
      const { svg } = await mermaid.render(`diagram-${number}`, source);
      const figure = document.createElement("div");
      figure.innerHTML = svg;
      figure.querySelector("svg").setAttribute("role", "img");
      place.replaceChildren(figure);
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
