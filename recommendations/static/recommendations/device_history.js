/**
 * The history that this browser keeps, as a page: by day, newest first, and deletable.
 *
 * Hooks: [data-device-history] with the texts data-heard, data-delete, data-deleted, data-cleared; in
 * it [data-device-days], template[data-device-day], template[data-device-listen],
 * [data-device-history-empty], [data-device-history-note], button[data-device-older] and
 * button[data-device-forget].
 */

import { forget, forgetAll, kept } from "./device.js";
import { clockTime } from "./practice.js";

const PAGE = 40;
let shown = PAGE;

/** @param {string} template @param {Record<string, string>} values */
function filled(template, values) {
  return template.replace(/{(\w+)}/g, (_, name) => values[name]);
}

/** @param {HTMLElement} container @param {Listen} listen */
function drawListen(container, { id, startedAt, seconds, card }) {
  const { heard, delete: label } = container.dataset;
  const drawn = container.querySelector("template[data-device-listen]").content.cloneNode(true);
  const time = drawn.querySelector("[data-listen-time]");
  time.dateTime = startedAt;
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(startedAt));
  const link = drawn.querySelector("[data-listen-link]");
  link.setAttribute("href", card.url);
  link.textContent = card.title;
  const more = filled(heard, { time: clockTime(seconds) });
  drawn.querySelector("[data-listen-more]").textContent = `${card.kindLabel} · ${more}`;
  const button = drawn.querySelector("[data-device-listen-forget]");
  Object.assign(button.dataset, { id, title: card.title });
  const name = filled(label, { title: `${card.title}, ${time.textContent}` });
  button.setAttribute("aria-label", name);
  return drawn;
}

/** @param {HTMLElement} container @param {string} day @param {Listen[]} listens */
function drawDay(container, day, listens) {
  const drawn = container.querySelector("template[data-device-day]").content.cloneNode(true);
  drawn.querySelector("[data-day-date]").textContent = day;
  const list = drawn.querySelector("[data-day-listens]");
  list.replaceChildren(...listens.map((listen) => drawListen(container, listen)));
  return drawn;
}

/** @param {HTMLElement} container */
async function draw(container) {
  const listens = await kept("listens");
  listens.sort((one, other) => other.startedAt.localeCompare(one.startedAt));
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long" });
  const days = Map.groupBy(listens.slice(0, shown), ({ startedAt }) =>
    format.format(new Date(startedAt)),
  );
  container
    .querySelector("[data-device-days]")
    .replaceChildren(...[...days].map(([day, heard]) => drawDay(container, day, heard)));
  container.querySelector("[data-device-history-empty]").hidden = listens.length > 0;
  container.querySelector("[data-device-forget]").hidden = listens.length === 0;
  container.querySelector("[data-device-older]").hidden = listens.length <= shown;
}

/** A page has come. */
function enterPage() {
  shown = PAGE;
  const container = document.querySelector("[data-device-history]");
  if (container) draw(container);
}

/** @param {HTMLElement} container @param {HTMLButtonElement} button  of a listen */
async function forgetListen(container, button) {
  const buttons = [...container.querySelectorAll("[data-device-listen-forget]")];
  const place = buttons.indexOf(button);
  const { id, title } = button.dataset;
  await forget("listens", id);
  await draw(container);
  const left = container.querySelectorAll("[data-device-listen-forget]");
  const next = left[Math.min(place, left.length - 1)] ?? document.getElementById("main");
  next.focus({ preventScroll: true });
  say(container, filled(container.dataset.deleted, { title }));
}

/** @param {HTMLElement} container @param {string} words */
function say(container, words) {
  container.querySelector("[data-device-history-note]").textContent = words;
}

/** @param {MouseEvent} event */
async function act({ target }) {
  const container = target.closest("[data-device-history]");
  const button = container && target.closest("button");
  if (!button) return;
  if (button.matches("[data-device-listen-forget]")) {
    await forgetListen(container, button);
  } else if (button.matches("[data-device-older]")) {
    shown += PAGE;
    await draw(container);
  } else if (button.matches("[data-device-forget]")) {
    await forgetAll();
    await draw(container);
    say(container, container.dataset.cleared);
  }
}

document.addEventListener("click", act);
document.addEventListener("htmx:afterSettle", enterPage);
document.addEventListener("htmx:historyRestore", enterPage);
enterPage();
