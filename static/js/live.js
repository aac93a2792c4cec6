// Tells a reader of an open page that somebody has answered meanwhile.

const notice = document.querySelector("[data-live]");
const LONGEST_PAUSE_SECONDS = 60;
let pause = 1;

function listen() {
  const socket = new WebSocket(new URL(notice.dataset.live, location.href.replace(/^http/, "ws")));
  socket.addEventListener("open", () => (pause = 1));
  socket.addEventListener("message", (event) => {
    const { floor } = JSON.parse(event.data);
    if (document.getElementById(`floor-${floor}`)) return;
    const page = Math.ceil(floor / notice.dataset.floorsPerPage);
    const link = notice.querySelector("a");
    link.href = `${location.pathname}${page > 1 ? `?page=${page}` : ""}#floor-${floor}`;
    link.onclick = (click) => {
      if (link.pathname !== location.pathname || link.search !== location.search) return;
      click.preventDefault(); // the same page with another hash would not be fetched again
      location.hash = link.hash;
      location.reload();
    };
    notice.hidden = false;
  });
  socket.addEventListener("close", () => {
    setTimeout(listen, pause * 1000 * (0.5 + Math.random()));
    pause = Math.min(pause * 2, LONGEST_PAUSE_SECONDS);
  });
}

if (notice) listen();
