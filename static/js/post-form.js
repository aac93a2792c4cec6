// The form around a post: Enter in the title goes on to the text, Enter in another line saves nothing, and the button says
// what it is going to do.

const form = document.querySelector("#post_form");

function goOnByEnter(event) {
  const { target, key } = event;
  // A check box and a list, too, would press the first button that can be pressed.
  if (key !== "Enter" || !/^(INPUT|SELECT)$/.test(target.tagName) || /^(submit|button|file)$/.test(target.type)) return;
  // The Enter that ends a composition belongs to the input method; Safari sends it afterwards, as 229.
  if (event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (target.name === "title") form.elements.body?.focus();
}

// A double click would make two posts, or be told that its first half has changed the post.
function sendOnce() {
  let sentAt = -Infinity;
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (event.timeStamp - sentAt < 5000) event.preventDefault();
    else sentAt = event.timeStamp;
  });
  addEventListener("pageshow", () => (sentAt = -Infinity));
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
  sendOnce();
  form.querySelectorAll("[data-stored-status]").forEach(sayWhatHappens);
}
