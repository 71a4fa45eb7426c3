/**
 * Takes the history from the server to this browser before a form ends its storing there.
 *
 * Hooks: button[data-take-home] in the form, [data-take-home-note] with data-working and data-failed.
 * The form is sent only when everything that the server holds was read back from this browser.
 */

import { keepAll, kept } from "./device.js";
import { pagePerson } from "./person.js";

const ADDRESS = "/api/v1/history/";

/**
 * @typedef {object} History  as the server tells it
 * @property {{id: string, slug: string, startedAt: string, seconds: number, position: number}[]} listens
 * @property {string[]} favorites  slugs
 * @property {Record<string, number>} ratings  by slug
 * @property {Record<string, number>} positions  seconds, by slug
 * @property {Record<string, {title: string, url: string, kindLabel: string, picture: string}>} cards
 */

/** @returns {Promise<History>} */
async function fetchHistory() {
  const response = await fetch(ADDRESS, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw new Error(`the history was answered with ${response.status}`);
  return response.json();
}

/** @param {string} source  a picture as it stands in pages; the device keeps it as XML */
function pictureSource(source) {
  const picture = new DOMParser().parseFromString(source, "text/html").querySelector("svg");
  return picture ? new XMLSerializer().serializeToString(picture) : "";
}

/**
 * The history in the device's own form.
 * @param {History} history
 */
function asKept(history) {
  const cards = Object.fromEntries(
    Object.entries(history.cards).map(([slug, card]) => [
      slug,
      { ...card, slug, picture: pictureSource(card.picture) },
    ]),
  );
  const { key } = pagePerson();
  return {
    listens: history.listens.map(({ id, slug, startedAt, seconds, position }) => ({
      id,
      startedAt: new Date(startedAt).toISOString(),
      seconds,
      position,
      card: cards[slug],
      person: key,
      consent: "",
    })),
    favorites: history.favorites.map((slug) => cards[slug]),
    ratings: Object.entries(history.ratings).map(([slug, value]) => ({ slug, value })),
    positions: Object.entries(history.positions).map(([slug, seconds]) => ({ slug, seconds })),
  };
}

/**
 * Of a listen that is at home already, the further report stays.
 * @param {Listen[]} listens
 */
async function furthest(listens) {
  const atHome = new Map((await kept("listens")).map((listen) => [listen.id, listen]));
  return listens.filter(({ id, seconds }) => !(atHome.get(id)?.seconds >= seconds));
}

/**
 * Reads everything back.
 * @param {ReturnType<typeof asKept>} taken
 */
async function check(taken) {
  const heard = new Map((await kept("listens")).map(({ id, seconds }) => [id, seconds]));
  const isHeard = taken.listens.every(({ id, seconds }) => heard.get(id) >= seconds);
  const others = ["favorites", "ratings", "positions"].map(async (store) => {
    const slugs = new Set((await kept(store)).map(({ slug }) => slug));
    return taken[store].every(({ slug }) => slugs.has(slug));
  });
  const areThere = await Promise.all(others);
  if (!isHeard || !areThere.every(Boolean)) throw new Error("not everything is at home");
}

/** What comes to the server meanwhile is missed by the check, which asks the server anew. */
async function takeHome() {
  const taken = asKept(await fetchHistory());
  await keepAll({ ...taken, listens: await furthest(taken.listens) });
  await check(asKept(await fetchHistory()));
}

/** @param {MouseEvent} event */
async function takeHomeFirst({ target }) {
  const button = target.closest("button[data-take-home]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  const { form } = button;
  const note = form.querySelector("[data-take-home-note]");
  button.setAttribute("aria-disabled", "true");
  note.textContent = note.dataset.working;
  try {
    await takeHome();
  } catch {
    note.textContent = note.dataset.failed;
    return;
  } finally {
    button.removeAttribute("aria-disabled");
  }
  if (form.isConnected) form.requestSubmit();
}

document.addEventListener("click", takeHomeFirst);
