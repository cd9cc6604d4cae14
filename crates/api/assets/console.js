// What keeps a page up to date: times in the browser's own words, the part of a zone's page that lives, and a search that
// has not come to its end.
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

// A search in a large zone is given up after so many names: it goes on by itself until a page is full, or until it is
// stopped. What was found first comes first, so that it adds up to one page.
async function searchOn(search) {
  const limit = Number(search.dataset.search);
  const progress = document.createElement("p");
  progress.setAttribute("role", "status");
  const stop = document.createElement("button");
  stop.textContent = "Stop";
  let stopped = false;
  stop.addEventListener("click", () => { stopped = true; });
  const saying = document.createElement("div");
  saying.className = "pages";
  saying.append(progress, stop);
  search.after(saying);
  let lines = search.querySelector("pre.records")?.textContent ?? "";
  const found = () => lines.split("\n").length - 1;
  for (let link; (link = search.querySelector("a[data-search-on]")) && found() < limit && !stopped;) {
    progress.textContent = `Searching: now at ${link.dataset.searchOn}`;
    const answer = await fetch(link.href, { redirect: "error" });
    if (!answer.ok) break;
    const more = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-search]");
    if (!more) break;
    const records = more.querySelector("pre.records");
    lines += records?.textContent ?? "";
    if (records) records.textContent = lines;
    // Nothing in this part: what was found before stays, with the way on from here.
    if (records || !lines) search.replaceChildren(...more.childNodes);
    else search.querySelector("nav").replaceWith(more.querySelector("nav"));
  }
  saying.remove();
}

const search = document.querySelector("[data-search]");
if (search?.querySelector("a[data-search-on]")) searchOn(search).catch(() => {});

// What is under way is had anew until it has ended.
async function lookAgain(part) {
  while (part.hasAttribute("data-again")) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    const answer = await fetch(location.pathname, { redirect: "error" });
    if (!answer.ok) return;
    const anew = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    if (!anew) return;
    part.replaceWith(anew);
    sayTimes(anew);
    part = anew;
  }
}

const underWay = document.querySelector("[data-again]");
if (underWay) lookAgain(underWay).catch(() => {});
