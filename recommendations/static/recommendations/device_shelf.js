/**
 * Shelves of what this device keeps, drawn without a request.
 *
 * Hooks: [data-device-shelf="listens|favorites"] with [data-device-cards] and
 * template[data-device-card] (in it a[data-card-link], [data-card-picture], [data-card-title],
 * [data-card-kind]); hidden while there is nothing. button[data-device-forget] forgets everything,
 * and says so in [data-device-forgotten] if the page has one.
 */

import { forgetAll, kept } from "./device.js";
import { text } from "./texts.js";

const LONGEST = 12;

/**
 * The cards of a shelf, the newest first, each practice once.
 * @param {"listens"|"favorites"} shelf
 * @returns {Promise<Card[]>}
 */
async function cardsOf(shelf) {
  const rows = await kept(shelf);
  if (shelf === "favorites") return rows.slice(0, LONGEST);
  const newestFirst = rows.sort((one, other) => other.startedAt.localeCompare(one.startedAt));
  const bySlug = new Map();
  for (const { card } of newestFirst) if (!bySlug.has(card.slug)) bySlug.set(card.slug, card);
  return [...bySlug.values()].slice(0, LONGEST);
}

/** @param {string} source  SVG that the site itself drew */
function picture(source) {
  const parsed = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  return parsed.localName === "svg" ? document.importNode(parsed, true) : null;
}

/** @param {HTMLTemplateElement} template @param {Card} card */
function draw(template, card) {
  const drawn = template.content.cloneNode(true);
  drawn.querySelector("[data-card-link]").setAttribute("href", card.url);
  drawn.querySelector("[data-card-title]").textContent = card.title;
  const kind = drawn.querySelector("[data-card-kind]");
  const frame = drawn.querySelector("[data-card-picture]");
  if (kind) kind.textContent = card.kindLabel;
  const drawing = card.picture && picture(card.picture);
  if (frame && drawing) frame.replaceChildren(drawing);
  return drawn;
}

/**
 * Draws one shelf; an empty one is hidden.
 * @param {HTMLElement} container  with the hooks above
 */
async function renderDeviceShelf(container) {
  const cards = await cardsOf(container.dataset.deviceShelf);
  const template = container.querySelector("template[data-device-card]");
  const place = container.querySelector("[data-device-cards]");
  place.replaceChildren(...cards.map((card) => draw(template, card)));
  container.hidden = cards.length === 0;
  container.toggleAttribute("data-scrolls", place.scrollWidth > place.clientWidth);
}

/**
 * Draws every shelf of every page that comes.
 * @param {{onForget: () => void}} options  called before everything is forgotten
 */
export function bindDeviceShelves({ onForget }) {
  const drawAll = () => document.querySelectorAll("[data-device-shelf]").forEach(renderDeviceShelf);
  document.addEventListener("htmx:afterSettle", drawAll);
  document.addEventListener("htmx:historyRestore", drawAll);
  document.addEventListener("click", async ({ target }) => {
    if (!target.closest("[data-device-forget]")) return;
    onForget();
    await forgetAll();
    const note = document.querySelector("[data-device-forgotten]");
    if (note) note.textContent = text("deviceCleared");
    else document.getElementById("main")?.focus({ preventScroll: true });
    drawAll();
  });
  drawAll();
}
