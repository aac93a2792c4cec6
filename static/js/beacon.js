// Counts the view once the page is seen, and brings the numbers on it up to date.

const { post, beacon } = document.body.dataset;

function view() {
  const view = post ? { post: Number(post) || post } : {};
  const from = document.referrer && new URL(document.referrer);
  if (from && from.host !== location.host) view.referrer = `${from.protocol}//${from.host}`;
  return view;
}

async function send() {
  const answer = await fetch(beacon, {
    method: "POST",
    body: JSON.stringify(view()),
    keepalive: true,
  });
  if (!answer.ok) return;
  const numbers = await answer.json();
  for (const element of document.querySelectorAll("[data-number]")) {
    const number = numbers[element.dataset.number];
    if (number !== undefined) element.textContent = number;
  }
}

function sendWhenSeen() {
  if (document.visibilityState === "visible") {
    send().catch(() => {}); // a lost beacon is nothing a reader need know of
  } else {
    document.addEventListener("visibilitychange", sendWhenSeen, { once: true });
  }
}

if (document.prerendering) {
  document.addEventListener("prerenderingchange", sendWhenSeen, { once: true });
} else {
  sendWhenSeen();
}
