/**
 * Listening, favorites and ratings: sent to the server only while the person stores them there,
 * kept in this browser otherwise.
 *
 * The answer to "may it be stored?" is read anew each time: data-can-store="true|false" on any
 * element of the page (#main has it), and the practice's own canStore. Both must allow it; a listen
 * that was once not allowed to be sent stays here for good.
 *
 * Hooks: form[data-player-rating] with radios and [data-player-rating-note];
 * button[data-favorite-device] with data-slug, -title, -url, -kind-label (gets aria-pressed);
 * [data-practice-picture] around a practice's svg; [data-device-shelf], see device_shelf.js.
 */

import { forget, keep, kept } from "./device.js";
import { bindDeviceShelves, renderDeviceShelf } from "./device_shelf.js";
import { pagePractice } from "./practice.js";
import { ListenQueue, post } from "./listen_queue.js";

export { renderDeviceShelf };

const KEEP_EVERY_SECONDS = 5;
const SEND_EVERY_MILLISECONDS = 20_000;

const queue = new ListenQueue();
/** @type {Set<string>} listens that stay here whatever is answered later */
const here = new Set();
/** @type {Map<string, string>} by practice, since one plays on when its page is gone */
const pictures = new Map();
let lastKept = { id: "", seconds: 0 };

/** @returns {boolean|undefined} what the page says now; undefined if it says nothing */
function pageAnswer() {
  const answer = document.querySelector("[data-can-store]")?.dataset.canStore;
  return answer === undefined ? undefined : answer === "true";
}

/** @param {Practice} practice */
function mayStore(practice) {
  return practice.canStore && pageAnswer() !== false;
}

/** @param {Element|null} holder */
function pictureSource(holder) {
  const picture = holder?.querySelector("svg");
  return picture ? new XMLSerializer().serializeToString(picture) : "";
}

/** @param {Practice} practice @returns {Card} */
function cardOf({ slug, title, url, kindLabel }) {
  return { slug, title, url, kindLabel, picture: pictures.get(slug) ?? "" };
}

/**
 * Keeps or queues how far a listen has come.
 * @param {{practice: Practice, listen: {id: string, startedAt: Date}, position: number,
 *   heard: number}} detail
 */
async function note({ practice, listen, position, heard }) {
  if (heard < 1) return;
  lastKept = { id: listen.id, seconds: heard };
  /** @type {Listen} */
  const record = {
    id: listen.id,
    startedAt: listen.startedAt.toISOString(),
    seconds: Math.floor(heard),
    position: Math.floor(position),
    card: cardOf(practice),
  };
  if (!mayStore(practice)) here.add(record.id);
  await Promise.all([
    here.has(record.id) ? keep("listens", record) : queue.add(record),
    keep("positions", { slug: practice.slug, seconds: record.position }),
  ]);
}

/** @param {CustomEvent} event */
function noteSometimes({ detail }) {
  const isNew = detail.listen.id !== lastKept.id;
  if (isNew || detail.heard - lastKept.seconds >= KEEP_EVERY_SECONDS) note(detail);
}

/** @param {CustomEvent} event */
async function noteNow({ detail }) {
  await note(detail);
  await send();
}

/**
 * Sends what waits, or brings it home if the page says that nothing may be stored.
 * @param {{isLeaving?: boolean}} [options]
 */
async function send(options = {}) {
  if (pageAnswer() === false) await queue.bringHome();
  else await queue.send(options);
}

/** @param {Event} event */
async function takeRating({ target }) {
  const form = target.closest("form[data-player-rating]");
  const practice = pagePractice();
  if (!form || !practice) return;
  const say = (/** @type {string} */ text) => {
    const place = form.querySelector("[data-player-rating-note]");
    if (place) place.textContent = text;
  };
  const value = Number(target.value);
  if (!mayStore(practice)) {
    await keep("ratings", { slug: practice.slug, value });
    say("Noted, on this device only.");
    return;
  }
  const status = await post("/api/v1/ratings/", { practice: practice.slug, value });
  if (status >= 200 && status < 300) say("Noted. Thank you.");
  else say("It could not be sent. Nothing was stored. Choose again to try again.");
}

/** @param {Event} event */
async function toggleFavorite({ target }) {
  const button = target.closest("button[data-favorite-device]");
  if (!button) return;
  const { slug, title, url, kindLabel } = button.dataset;
  const isKept = (await kept("favorites")).some((favorite) => favorite.slug === slug);
  if (isKept) await forget("favorites", slug);
  else await keep("favorites", cardOf({ slug, title, url, kindLabel }));
  await markFavorites();
}

async function markFavorites() {
  const buttons = document.querySelectorAll("button[data-favorite-device]");
  if (!buttons.length) return;
  const slugs = new Set((await kept("favorites")).map((favorite) => favorite.slug));
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(slugs.has(button.dataset.slug)));
  }
}

/** A page has come. */
function enterPage() {
  const practice = pagePractice();
  const picture = pictureSource(document.querySelector("[data-practice-picture]"));
  if (practice && picture) pictures.set(practice.slug, picture);
  if (pageAnswer()) queue.isRefused = false;
  markFavorites();
  send();
}

for (const name of ["player:start", "player:time"]) document.addEventListener(name, noteSometimes);
for (const name of ["player:pause", "player:finished", "player:left"]) {
  document.addEventListener(name, noteNow);
}
document.addEventListener("change", takeRating);
document.addEventListener("click", toggleFavorite);
document.addEventListener("htmx:afterSettle", enterPage);
document.addEventListener("htmx:historyRestore", enterPage);
window.addEventListener("pagehide", () => send({ isLeaving: true }));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) send({ isLeaving: true }); // on phones often a page's last word
});
window.addEventListener("online", () => send());
setInterval(() => send(), SEND_EVERY_MILLISECONDS);
bindDeviceShelves();
queue.restore().then(enterPage);
