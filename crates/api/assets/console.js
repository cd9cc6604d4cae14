// What keeps a page up to date: times in the browser's own words, and the part of a zone's page that lives.
// A page says everything without it.
"use strict";

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function sayTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const seconds = (moment - Date.now()) / 1000;
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) || ["second", 1];
    time.title = absolute.format(moment);
    const text = relative.format(Math.round(seconds / length), unit);
    if (time.textContent !== text) time.textContent = text;
  }
}

sayTimes(document);
setInterval(() => sayTimes(document), 1000);

for (const link of document.querySelectorAll("[data-link]")) {
  link.textContent = location.origin + link.dataset.link;
}

const live = document.querySelector("[data-live]");
if (live) {
  const stamp = () => live.querySelector("[data-stamp]")?.dataset.stamp;
  // What does not live, the ledger and the versions, is had anew when something has happened.
  const refreshRest = async () => {
    const rest = document.getElementById("rest");
    const answer = await fetch(location.pathname, { redirect: "error" });
    if (!rest || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const anew = page.getElementById("rest");
    if (anew) rest.replaceChildren(...anew.childNodes);
    sayTimes(rest);
  };
  const events = new EventSource(live.dataset.live);
  events.addEventListener("zone", (event) => {
    // What somebody has opened stays open, and whoever is at a button stays there.
    const before = stamp();
    const open = new Set([...live.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key));
    const had = live.querySelectorAll("details[data-key]").length > 0;
    const focused = document.activeElement && live.contains(document.activeElement) ? document.activeElement.value : null;
    live.innerHTML = event.data;
    if (had) for (const one of live.querySelectorAll("details[data-key]")) one.open = open.has(one.dataset.key);
    if (focused) [...live.querySelectorAll("button")].find((button) => button.value === focused)?.focus();
    sayTimes(live);
    // A page that is being left gets none.
    if (stamp() !== before) refreshRest().catch(() => {});
  });
  events.addEventListener("error", () => live.classList.add("paused"));
  events.addEventListener("open", () => live.classList.remove("paused"));
}
