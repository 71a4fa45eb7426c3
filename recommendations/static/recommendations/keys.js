/**
 * Keys: Space plays and pauses, ← → move by 15 seconds; inside the player also ↑ ↓ for the volume
 * and M to mute. Never while typing, nor in place of what a focused control does itself.
 */

import { pagePractice } from "./practice.js";

const STEP_SECONDS = 15;
const VOLUME_STEP = 0.05;
const TAKES_LETTERS = "textarea, select, [contenteditable], input:not([type=range], [type=checkbox])";
const TAKES_ARROWS = "textarea, select, [contenteditable], input";
const TAKES_SPACE = "textarea, select, [contenteditable], input:not([type=range]), button, a, summary";
// A page that was just loaded has the focus on its body, one that htmx brought on its #main.
const NOTHING = "body, #main";

/**
 * What is focused when it needs the key for itself.
 * @param {string} key
 */
function takers(key) {
  if (key === " ") return TAKES_SPACE;
  return key.startsWith("Arrow") ? TAKES_ARROWS : TAKES_LETTERS;
}

/** @param {Player} player @param {number} change */
function turnVolume(player, change) {
  const volume = Math.min(1, Math.max(0, player.settings.volume + change));
  player.set({ volume, muted: false });
}

/**
 * What a key does; nothing for most.
 * @param {Player} player
 * @param {string} key
 * @param {boolean} isInside  whether the focus is in the player
 * @returns {(() => void)|undefined}
 */
function meaning(player, key, isInside) {
  const moves = { ArrowLeft: -STEP_SECONDS, ArrowRight: STEP_SECONDS };
  if (key === " ") return () => player.toggle(pagePractice() ?? player.practice);
  if (key in moves) return () => player.seek(player.position + moves[key]);
  if (!isInside) return undefined;
  if (key === "ArrowUp") return () => turnVolume(player, VOLUME_STEP);
  if (key === "ArrowDown") return () => turnVolume(player, -VOLUME_STEP);
  if (key === "m" || key === "M") return () => player.set({ muted: !player.settings.muted });
  return undefined;
}

/** @param {Player} player */
export function bindKeys(player) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const focused = /** @type {HTMLElement} */ (event.target);
    const isInside = focused.closest("[data-player-stage], #player") !== null;
    // Elsewhere the keys belong to the page, unless it is a practice's and nothing has the focus.
    if (!isInside && !(focused.matches(NOTHING) && pagePractice())) return;
    if (focused.closest(takers(event.key))) return;
    const act = meaning(player, event.key, isInside);
    if (!act) return;
    event.preventDefault();
    act();
  });
}
