/* The page that checks a receipt or a certificate: a file is dropped or chosen, and what it proves is shown. */

import { checkFile, Invalid, part, Unsupported } from "./receipt_check.js";

const find = (selector) => document.querySelector(selector);

function say(name, text) {
  for (const element of document.querySelectorAll(`[data-says="${name}"]`)) {
    element.textContent = text;
  }
}

function show(verdict) {
  for (const element of document.querySelectorAll("[data-verdict]")) {
    element.hidden = element.dataset.verdict !== verdict;
  }
}

/** A time as the reader writes times, in the language of the page, with its zone. */
function told(time) {
  const { lang } = document.documentElement;
  const own = navigator.languages.find((language) => language.split("-")[0] === lang);
  const options = { dateStyle: "long", timeStyle: "long" };
  return new Intl.DateTimeFormat(own ?? lang, options).format(new Date(time));
}

/** The notice's words in the reader's language, or else in the one they were decided in. */
function words(receipt) {
  const texts = part(receipt, "notice.texts");
  const languages = [document.documentElement.lang, part(receipt, "ledger.statement.language"), "en"];
  return texts.get(languages.find((language) => texts.has(language)));
}

function sayAll(found) {
  const labels = find("[data-verify-words]").dataset;
  const until = part(found.receipt, "ledger.statement.valid_until");
  const decision = labels[`decision${found.decision[0].toUpperCase()}${found.decision.slice(1)}`];
  const notice = words(found.receipt);
  say("statement", `“${notice.get("statement")}”`);
  say("decision", decision ?? found.decision);
  say("time", told(found.time));
  find('[data-says-row="valid_until"]').hidden = !until;
  say("valid_until", until ? told(until) : "");
  say("purpose", notice.get("title"));
  say("ledger", found.ledger);
  say("index", labels.entry.replace("{index}", found.index).replace("{size}", found.size));
  say("line", found.line);
}

function keyTexts() {
  return find("[data-verify-keys]").value.split("\n").map((line) => line.trim()).filter(Boolean);
}

function sayCertificate(found) {
  const labels = find("[data-verify-words]").dataset;
  const what = found.purpose === "mood:train" ? labels.moods : labels.listening;
  say("learned", what);
  say("ended", told(found.ended));
  say("release", found.release);
  say("published", told(found.published));
  say("compared", told(found.compared));
  say("record", found.record);
  say("ledger", found.ledger);
  say("line", found.line);
}

let latest;

/** @param {Blob} file */
async function check(file) {
  const mine = (latest = Symbol("check"));
  show(null);
  let verdict = "genuine";
  try {
    // A file that is far too large is not even read.
    const data = await file.slice(0, 1_000_001).arrayBuffer();
    const found = await checkFile(new Uint8Array(data), keyTexts());
    if (found.isCertificate) {
      sayCertificate(found);
      verdict = "forgotten";
    } else {
      sayAll(found);
    }
  } catch (error) {
    if (error instanceof Invalid) say("reason", error.message);
    else if (!(error instanceof Unsupported)) throw error;
    verdict = error instanceof Invalid ? "false" : "unchecked";
  }
  if (latest === mine) show(verdict);
}

/** The keys were changed: what was said of the file no longer holds. */
function checkAgain() {
  const file = find("[data-verify-file]")?.files[0];
  if (file) check(file);
  else show(null);
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-verify-file], [data-verify-keys]")) checkAgain();
});
document.addEventListener("click", (event) => {
  if (!event.target.matches("[data-verify-file]")) return;
  // Or else choosing the same file again would not be a change.
  event.target.value = "";
  checkAgain();
});
document.addEventListener("dragover", (event) => {
  const drop = event.target.closest("[data-verify-drop]");
  if (!drop) return;
  event.preventDefault();
  drop.dataset.over = "";
});
for (const type of ["dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const drop = event.target.closest?.("[data-verify-drop]");
    if (drop) delete drop.dataset.over;
  });
}
document.addEventListener("drop", (event) => {
  const drop = event.target.closest("[data-verify-drop]");
  if (!drop || event.dataTransfer.files.length === 0) return;
  event.preventDefault();
  find("[data-verify-file]").files = event.dataTransfer.files;
  checkAgain();
});
