/**
 * Listening, favorites and ratings that this browser keeps, and listens sent to the server while the
 * person stores them there.
 *
 * A listen belongs to the person and to the consent of the page on which it began. It is sent only
 * while the page that is shown says both (person.js); once it could not be, it stays here for good.
 *
 * Hooks: form[data-player-rating] with radios and [data-player-rating-note];
 * button[data-favorite-device] with data-slug, -title, -url, -kind-label (gets aria-pressed) and
 * [data-favorite-label] in it;
 * [data-practice-picture] around a practice's svg; [data-device-shelf], see device_shelf.js.
 */

import { forget, keep, kept } from "./device.js";
import { bindDeviceShelves } from "./device_shelf.js";
import { ListenQueue } from "./listen_queue.js";
import { pagePerson } from "./person.js";
import { pagePractice } from "./practice.js";
import { text } from "./texts.js";

const KEEP_EVERY_SECONDS = 5;
const SEND_EVERY_MILLISECONDS = 20_000;

const queue = new ListenQueue();
/** @type {Map<string, string>} by practice, since one plays on when its page is gone */
const pictures = new Map();
let lastKept = { id: "", seconds: 0 };

/**
 * Whether a listen may be sent, now or when its person is back.
 * @param {Practice} practice
 */
function mayStore({ person }) {
  const now = pagePerson();
  return person.consent !== "" && (now.key !== person.key || now.consent === person.consent);
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
    person: practice.person.key,
    consent: practice.person.consent,
  };
  if (mayStore(practice)) {
    await queue.add(record);
    return;
  }
  await Promise.all([
    keep("listens", record),
    keep("positions", { slug: practice.slug, seconds: record.position }),
  ]);
}

/** @param {CustomEvent} event */
function noteSometimes({ detail }) {
  const isNew = detail.listen.id !== lastKept.id;
  if (isNew || detail.heard - lastKept.seconds >= KEEP_EVERY_SECONDS) note(detail);
}

/** @param {CustomEvent} event  the page may be going: nothing is waited for before it is sent */
async function noteNow({ detail }) {
  await Promise.all([note(detail), queue.send()]);
}

/** @param {Event} event */
async function takeRating({ target }) {
  const form = target.closest("form[data-player-rating]");
  const practice = pagePractice();
  if (!form || !practice) return;
  await keep("ratings", { slug: practice.slug, value: Number(target.value) });
  form.querySelector("[data-player-rating-note]").textContent = text("ratingNoted");
}

async function markRating() {
  const form = document.querySelector("form[data-player-rating]");
  const slug = pagePractice()?.slug;
  const rating = form && (await kept("ratings")).find((one) => one.slug === slug);
  const choice = rating && form.querySelector(`[value="${rating.value}"]`);
  if (choice) choice.checked = true;
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
    const isKept = slugs.has(button.dataset.slug);
    button.setAttribute("aria-pressed", String(isKept));
    const label = button.querySelector("[data-favorite-label]");
    if (label) label.textContent = text(isKept ? "isFavorite" : "addFavorite");
  }
}

/** A page has come. */
function enterPage() {
  const practice = pagePractice();
  const picture = pictureSource(document.querySelector("[data-practice-picture]"));
  if (practice && picture) pictures.set(practice.slug, picture);
  markFavorites();
  markRating();
  queue.send();
}

for (const name of ["player:start", "player:time"]) document.addEventListener(name, noteSometimes);
for (const name of ["player:pause", "player:finished", "player:left"]) {
  document.addEventListener(name, noteNow);
}
document.addEventListener("change", takeRating);
document.addEventListener("click", toggleFavorite);
document.addEventListener("htmx:afterSettle", enterPage);
document.addEventListener("htmx:historyRestore", enterPage);
window.addEventListener("pagehide", () => queue.send({ isLeaving: true }));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) queue.send({ isLeaving: true }); // on phones often a page's last word
});
window.addEventListener("online", () => queue.send());
setInterval(() => queue.send(), SEND_EVERY_MILLISECONDS);
bindDeviceShelves({ onForget: () => queue.clear() });
queue.restore().then(enterPage);
