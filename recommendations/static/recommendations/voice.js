/**
 * The browser's own voice, where it has one that speaks on the device. Any other voice would send
 * the words, and with them what the person listens to, to its maker; so it is not used.
 */

// Slower and lower than a browser speaks by itself: this is read to people who are lying down.
const MANNERS = {
  low: { pitch: 0.75, rate: 0.8 },
  warm: { pitch: 0.95, rate: 0.85 },
  clear: { pitch: 1.08, rate: 0.9 },
};

/** The practices' language counts, not the page's. @returns {SpeechSynthesisVoice|undefined} */
function localVoice() {
  if (!("speechSynthesis" in window)) return undefined;
  const language = document.getElementById("player").dataset.catalogLanguage;
  const voices = window.speechSynthesis.getVoices()
    .filter((voice) => voice.localService && voice.lang.startsWith(language));
  return voices.find((voice) => voice.default) ?? voices[0];
}

/** Whether this browser can read aloud. Browsers find their voices a moment after the page. */
export function canSpeak() {
  return localVoice() !== undefined;
}

/** @param {() => void} listener  called when the browser has found more voices */
export function onVoices(listener) {
  if ("speechSynthesis" in window) {
    window.speechSynthesis.addEventListener("voiceschanged", listener);
  }
}

/**
 * Reads a line aloud after whatever is being read.
 * @param {string} text
 * @param {{manner: string, volume: number}} how  low, warm or clear; 0 … 1
 */
export function speak(text, { manner, volume }) {
  const voice = localVoice();
  if (!voice) return;
  const utterance = new SpeechSynthesisUtterance(text);
  const { pitch, rate } = MANNERS[manner] ?? MANNERS.warm;
  Object.assign(utterance, { voice, lang: voice.lang, volume, pitch, rate });
  window.speechSynthesis.speak(utterance);
}

/** Ends what is being read. */
export function hush() {
  if ("speechSynthesis" in window) window.speechSynthesis.cancel();
}
