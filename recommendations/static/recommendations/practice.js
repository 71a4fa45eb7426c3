/**
 * What a page says about its practice, and how times are written and read out.
 */

import { pagePerson } from "./person.js";
import { text } from "./texts.js";

/**
 * @typedef {{at: number, text: string, seconds: number}} Line  seconds from the start, and long
 * @typedef {["in"|"hold"|"out"|"rest", number]} Phase  and its seconds
 *
 * @typedef {object} Practice
 * @property {string} slug
 * @property {string} title
 * @property {string} kind  soundscape, breathing, guided or story
 * @property {string} kindLabel
 * @property {number} seconds
 * @property {"low"|"warm"|"clear"|""} voice
 * @property {{layers?: Layer[], pattern?: Phase[], rounds?: number, lines?: Line[]}} content
 * @property {{slug: string, layers: Layer[]}|null} soundscape  what sounds under it
 * @property {string|null} audio  the address of a recording
 * @property {string} url
 * @property {Person} person  for whom its page was made
 * @property {number} [resume]  seconds the server knows to go on from; 0 or nothing if it does not
 */

/**
 * The practice of the page that is shown now.
 * @returns {Practice|null}
 */
export function pagePractice() {
  const data = document.getElementById("practice-data");
  return data ? { ...JSON.parse(data.textContent), person: pagePerson() } : null;
}

/**
 * 250 → "4:10", 3700 → "1:01:40".
 * @param {number} seconds
 */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * 250 → "4 minutes 10 seconds", in the language of the page.
 * @param {number} seconds
 */
export function spokenTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const counted = (/** @type {number} */ count, /** @type {string} */ unit) =>
    text(count === 1 ? unit : `${unit}s`, { count });
  const minutes = Math.floor(whole / 60);
  return `${minutes ? `${counted(minutes, "minute")} ` : ""}${counted(whole % 60, "second")}`;
}

/**
 * Where the words are at a position.
 * @param {Line[]} lines  in order
 * @param {number} position  seconds
 * @returns {number} the index of the line that began last, -1 before the first
 */
export function lineAt(lines, position) {
  return lines.findLastIndex((line) => line.at <= position);
}
