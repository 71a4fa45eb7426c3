/**
 * How the person likes to listen, remembered in this browser only.
 */

/** @typedef {{volume: number, muted: boolean, voice: boolean, announce: boolean}} Settings */

const KEY = "player";
/** @type {Settings} */
const DEFAULTS = { volume: 0.8, muted: false, voice: true, announce: false };

/** @returns {Settings} */
export function readSettings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS }; // storage is switched off or was written by something else
  }
}

/** @param {Settings} settings */
export function writeSettings(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage is switched off or full: the settings hold until the page is closed.
  }
}
