// Elements made by scripts of the admin.

export const language = document.documentElement.lang || undefined;

export const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
export const button = (text, action) => {
  const element = make("button", { type: "button", className: "button", textContent: text });
  element.addEventListener("click", action);
  return element;
};
