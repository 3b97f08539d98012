// Refines what the server has written: times in the viewer's zone, ages that go on counting, and whether the page is
// still up to date. Without it the board works; its times are those of the site.
(function () {
  "use strict";
  const steps = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"]];
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const today = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const otherDay = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  // The server's clock decides what "ago" means; the viewer's may be wrong.
  const made = document.querySelector("footer time");
  const offset = made ? Date.parse(made.dateTime) - Date.now() : 0;

  function age(seconds) {
    if (seconds < 1) return "now";
    for (const [limit, unit, word] of steps) if (seconds < limit) return Math.floor(seconds / unit) + " " + word + " ago";
    const days = Math.floor(seconds / 86400);
    return (days === 1 ? "1 day" : days + " days") + " ago";
  }

  function refine() {
    const now = new Date(Date.now() + offset);
    for (const element of document.querySelectorAll("time[data-show]")) {
      const time = new Date(element.dateTime);
      if (isNaN(time)) continue;
      const isToday = time.toDateString() === now.toDateString();
      const text = element.dataset.show === "ago" ? age((now - time) / 1000) : (isToday ? today : otherDay).format(time);
      if (element.textContent !== text) element.textContent = text;
      const title = exact.format(time);
      if (element.title !== title) element.title = title;
    }
  }

  function say(text) {
    const place = document.querySelector("[data-connection]");
    if (place && place.textContent !== text) place.textContent = text;
    document.documentElement.classList.toggle("stale", text !== "");
  }

  // Whoever does not look at the page is told when the number of benches that need a person changes.
  let urgent = urgentCount();
  function urgentCount() {
    const count = document.querySelector(".need b");
    return count ? count.textContent : null;
  }
  function tellUrgent() {
    const count = urgentCount();
    if (count === urgent) return;
    urgent = count;
    document.title = (count === "0" ? "" : "(" + count + ") ") + document.title.replace(/^\(\d+\) /, "");
    document.querySelector("[data-announce]").textContent = document.querySelector(".need").innerText.replace("\n", " ");
  }

  const zone = document.querySelector("[data-zone]");
  if (zone) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const failed of ["htmx:sendError", "htmx:timeout", "htmx:responseError", "htmx:sseError"])
    document.body.addEventListener(failed, () => say(" The centre does not answer: what you see is old."));

  // A part that is renewed must not take away what its reader is doing: what is unfolded stays so, the keyboard stays at
  // its link, and text that is being selected is left alone until the next time.
  let unfolded = {}, focused = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target, selection = getSelection();
    if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) event.detail.shouldSwap = false;
    unfolded = {};
    for (const fold of part.querySelectorAll("details[id]")) unfolded[fold.id] = fold.open;
    focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    say("");
    refine();
    tellUrgent();
    for (const fold of event.detail.target.querySelectorAll("details[id]"))
      if (fold.id in unfolded) fold.open = unfolded[fold.id];
    for (const link of event.detail.target.querySelectorAll("a"))
      if (focused && link.getAttribute("href") === focused) { link.focus({ preventScroll: true }); break; }
  });
  document.body.addEventListener("htmx:sseOpen", () => say(""));
  refine();
  setInterval(refine, 1000);
})();
