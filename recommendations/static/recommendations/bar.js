/**
 * The bar: the player folded up, on every page but the practice's own.
 *
 * Hooks inside #player (hidden until something plays; data-player-state as on the stage):
 *   [data-bar-toggle] with [data-bar-toggle-label], [data-bar-stop], a[data-bar-link] to the
 *   practice, [data-bar-title], [data-bar-kind], [data-bar-elapsed], progress[data-bar-progress].
 */

import { clockTime, pagePractice } from "./practice.js";
import { text } from "./texts.js";

/** @param {Element} element @param {string} words */
function setText(element, words) {
  if (element && element.textContent !== words) element.textContent = words;
}

/** @param {Player} player */
export function bindBar(player) {
  const bar = document.getElementById("player");
  if (!bar) return;
  const find = (/** @type {string} */ name) => bar.querySelector(`[data-bar-${name}]`);
  find("toggle")?.addEventListener("click", () => player.toggle());
  find("stop")?.addEventListener("click", () => {
    player.stop();
    // The bar goes, and the focus with it.
    document.getElementById("main")?.focus({ preventScroll: true });
  });
  // htmx read the link's address before there was a practice.
  find("link")?.addEventListener("htmx:configRequest", ({ detail }) => {
    detail.path = player.practice.url;
  });
  const draw = () => drawBar(player, bar, find);
  for (const event of ["player:start", "player:time", "player:pause", "player:left",
    "player:change", "htmx:afterSettle", "htmx:historyRestore"]) {
    document.addEventListener(event, draw);
  }
}

/**
 * @param {Player} player
 * @param {HTMLElement} bar
 * @param {(name: string) => HTMLElement} find
 */
function drawBar(player, bar, find) {
  const { practice, position, state } = player;
  bar.hidden = !practice || pagePractice()?.slug === practice.slug;
  bar.dataset.playerState = state;
  if (bar.hidden) return;
  setText(find("toggle-label"), player.isPlaying ? text("pause") : text("play"));
  setText(find("title"), practice.title);
  setText(find("kind"), practice.kindLabel);
  setText(find("elapsed"), clockTime(position));
  find("link")?.setAttribute("href", practice.url);
  find("progress")?.setAttribute("value", String(position / practice.seconds));
}
