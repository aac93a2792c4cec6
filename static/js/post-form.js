// The form around a post: Enter in the title goes on to the text, Enter in another line saves nothing, and the button says
// what it is going to do.

const form = document.querySelector("#post_form");

function goOnByEnter(event) {
  const { target, key } = event;
  if (key !== "Enter" || target.tagName !== "INPUT" || /^(submit|button|file|checkbox)$/.test(target.type)) return;
  // The Enter that ends a composition belongs to the input method; Safari sends it afterwards, as 229.
  if (event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (target.name === "title") form.elements.body?.focus();
}

function sayWhatHappens(button) {
  const { status, published_at_0: day, published_at_1: time } = form.elements;
  if (!status) return;
  const { storedStatus, ...labels } = button.dataset;
  const plain = button.value;

  const say = () => {
    const chosen = button.name === "_publish" && status.value === "draft" ? "published" : status.value;
    const moment = day?.value ? new Date(`${day.value.replaceAll("/", "-")}T${time.value || "00:00"}`) : new Date(NaN);
    if (chosen === storedStatus) button.value = plain;
    else if (chosen === "published" && moment > Date.now()) {
      button.value = labels.scheduled.replace("{time}", `${day.value} ${time.value}`.trim());
    } else button.value = labels[chosen] ?? plain;
  };
  // Those of the calendar's and the clock's links tell nobody that they change a field.
  for (const type of ["input", "change", "click"]) form.addEventListener(type, () => setTimeout(say));
  say();
}

if (form) {
  form.addEventListener("keydown", goOnByEnter);
  form.querySelectorAll("[data-stored-status]").forEach(sayWhatHappens);
}
