/* The checks of verify_receipt.py, in the same order and with the same words. Nothing is sent. */

import { asFile, canonical, Invalid, NOT_JSON, readJson, refuse } from "./strict_json.js";

export { Invalid };
/** The browser has no Ed25519 or no WebCrypto: nothing can be said of the receipt. */
export class Unsupported extends Error {}

const MAX_BYTES = 1_000_000;
const MAX_HASHES = 64;
const CERTIFICATE = "ForgettingCertificate";

const STATES = {
  given: "dpv:ConsentGiven",
  renewed: "dpv:RenewedConsentGiven",
  refused: "dpv:ConsentRefused",
  withdrawn: "dpv:ConsentWithdrawn",
  expired: "dpv:ConsentExpired",
  invalidated: "dpv:ConsentInvalidated",
};

/** @param {Uint8Array} data the file, which must be exactly as it was issued @returns {Map} */
function readReceipt(data) {
  if (data.length > MAX_BYTES) refuse("The file is too large to be a receipt.");
  let text, receipt, layout;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    receipt = readJson(text);
    layout = asFile(receipt);
  } catch (error) {
    throw error instanceof Invalid ? error : new Invalid(NOT_JSON);
  }
  if (!(receipt instanceof Map)) refuse("The file is not a receipt.");
  // A half of a surrogate pair is escaped here and cannot be written there.
  if (/\\ud[89a-f]/.test(layout.replaceAll("\\\\", ""))) refuse("This cannot be written as a receipt.");
  if (layout !== text) {
    refuse("The file was changed after it was issued: it is laid out differently.");
  }
  return receipt;
}

/* Bytes */

const encode = (text) => new TextEncoder().encode(text);
const hex = (data) => [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (left, right) => hex(left) === hex(right);

function join(...parts) {
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}

/** Standard base64 in the one way of writing it, or null for what is no base64 at all. */
function fromBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  const binary = atob(text);
  return { data: Uint8Array.from(binary, (byte) => byte.charCodeAt()), isExact: btoa(binary) === text };
}

function base64(text, length, what) {
  const found = fromBase64(text) ?? refuse(`The ${what} is not in base64.`);
  if (!found.isExact || found.data.length !== length) {
    refuse(`The ${what} is not in base64 of ${length} bytes.`);
  }
  return found.data;
}

function number(text, what) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) >= 2n ** 63n) {
    refuse(`The ${what} is not a number.`);
  }
  return BigInt(text);
}

/* The Merkle tree (RFC 9162 section 2.1) */

const leafHash = (data) => sha256(Uint8Array.of(0), data);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** @param {bigint} index @param {bigint} size */
async function verifyInclusion(index, size, leaf, proof, root) {
  if (index >= size || proof.length > MAX_HASHES) return false;
  let [fn, sn, r] = [index, size - 1n, leaf];
  for (const p of proof) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      r = await nodeHash(p, r);
      while (fn && !(fn & 1n)) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      r = await nodeHash(r, p);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && same(r, root);
}

/* Keys, checkpoints and proofs */

function checkKeyName(name) {
  if (!name || /[\p{C}\p{Z}+]/u.test(name)) refuse("A key's name has no spaces and no plus.");
}

/** @param {string} text `name+key id in hex+base64(0x01 || key)` */
export async function parseKey(text) {
  const [, name, id, encoded] =
    /^([^+]*)\+([^+]*)\+(.*)$/su.exec(text) ?? refuse("A key has three parts: name+id+base64.");
  checkKeyName(name);
  const data = base64(encoded, 33, "key");
  const hash = (await sha256(encode(`${name}\n`), Uint8Array.of(1), data.subarray(1))).subarray(0, 4);
  if (data[0] !== 1 || hex(hash) !== id) {
    refuse("The key does not agree with its id, or is not for Ed25519.");
  }
  return { text, name, hash, public: data.subarray(1) };
}

async function verifySignature(key, signature, data) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.public, "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error.name === "DataError") return false;
    throw new Unsupported("Ed25519", { cause: error });
  }
  return crypto.subtle.verify("Ed25519", imported, signature, data);
}

function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || lines[3]) refuse("A checkpoint has exactly three lines.");
  const [origin, size, root] = lines;
  checkKeyName(origin);
  return { origin, size: number(size, "ledger's size"), root: base64(root, 32, "root hash") };
}

async function openNote(note, keys) {
  const end = note.lastIndexOf("\n\n");
  const tail = note.slice(end + 2);
  if (end < 0 || !tail.endsWith("\n")) refuse("The checkpoint is not signed.");
  const text = note.slice(0, end + 1);
  const checkpoint = parseCheckpoint(text);
  const signed = new Set();
  for (const line of tail.slice(0, -1).split("\n")) {
    const signature = signatureLine(line);
    const key = keys.find((one) => one.name === signature.name && same(one.hash, signature.hash));
    if (!key) continue;
    if (signed.has(key) || !(await verifySignature(key, signature.data, encode(text)))) {
      refuse("A signature of the checkpoint is false.");
    }
    signed.add(key);
  }
  if (![...signed].some((key) => key.name === checkpoint.origin)) {
    refuse("No key that you gave has signed the checkpoint.");
  }
  return checkpoint;
}

function signatureLine(line) {
  const [, name, encoded] =
    /^\u2014 (\S+) ([A-Za-z0-9+/=]+)$/u.exec(line) ??
    refuse("A signature line of the checkpoint is malformed.");
  checkKeyName(name);
  const found = fromBase64(encoded);
  if (!found || !found.isExact || found.data.length <= 4) {
    refuse("A signature of the checkpoint is not in base64.");
  }
  return { name, hash: found.data.subarray(0, 4), data: found.data.subarray(4) };
}

function parseProof(text) {
  const end = text.indexOf("\n\n");
  const lines = text.slice(0, end < 0 ? undefined : end).split("\n");
  if (end < 0 || lines.length < 2 || lines[0] !== "c2sp.org/tlog-proof@v1") {
    refuse("The proof is not in the form c2sp.org/tlog-proof@v1.");
  }
  if (!lines[1].startsWith("index ")) refuse("The proof does not say its entry's index.");
  if (lines.length - 2 > MAX_HASHES) refuse(`The proof has more than ${MAX_HASHES} hashes.`);
  return {
    index: number(lines[1].slice("index ".length), "entry's index"),
    hashes: lines.slice(2).map((line) => base64(line, 32, "proof's hash")),
    note: text.slice(end + 2),
  };
}

/* The receipt, and the certificate */

/**
 * What the file proves, if all of it holds under the given keys: a receipt, or a certificate
 * (`isCertificate`). Throws `Invalid`, and `Unsupported` where the browser cannot tell.
 * @param {Uint8Array} data the file @param {string[]} keyTexts verifier keys
 */
export async function checkFile(data, keyTexts) {
  if (!globalThis.crypto?.subtle) throw new Unsupported("WebCrypto");
  const keys = [];
  for (const text of keyTexts) keys.push(await parseKey(text));
  const found = readReceipt(data);
  const isCertificate = found.get("@type") === CERTIFICATE;
  return isCertificate ? checkCertificate(found, keys) : checkReceipt(found, keys);
}

async function checkReceipt(receipt, keys) {
  await checkSignature(receipt, keys);
  checkAgreement(receipt);
  const leaf = part(receipt, "ledger.leaf");
  const opening = base64(text(receipt, "ledger.opening"), 32, "opening");
  const key = await crypto.subtle.importKey(
    "raw", opening, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const commitment = await crypto.subtle.sign(
    "HMAC", key, encode(canonical(part(receipt, "ledger.statement"))));
  if (hex(new Uint8Array(commitment)) !== text(receipt, "ledger.leaf.commitment")) {
    refuse("The ledger's entry is about another decision.");
  }
  const notice = hex(await sha256(encode(canonical(part(receipt, "notice")))));
  if (notice !== text(receipt, "ledger.leaf.notice")) {
    refuse("The words in the receipt are not those of the decision.");
  }
  const proof = parseProof(text(receipt, "ledger.proof"));
  const checkpoint = await openNote(proof.note, keys);
  if (proof.index >= checkpoint.size) refuse("The ledger ends before the entry's index.");
  const { size, root } = checkpoint;
  if (!(await verifyInclusion(proof.index, size, await leafHash(encode(canonical(leaf))), proof.hashes, root))) {
    refuse("The entry is not in the ledger.");
  }
  return verified(receipt, proof.index, checkpoint);
}

function verified(receipt, index, { origin, size }) {
  const [purpose, decision, time] = ["purpose", "decision", "time"].map((name) =>
    text(receipt, `ledger.statement.${name}`));
  return {
    receipt, purpose, decision, time, ledger: origin, index: String(index), size: String(size),
    line: `Genuine: ${purpose} ${decision} at ${time}, ` +
      `entry ${index} of the ${size} in the ledger ${origin}.`,
  };
}

async function checkCertificate(certificate, keys) {
  await checkSignature(certificate, keys);
  const ledger = text(certificate, "ledger");
  if ((await parseKey(text(certificate, "signature.key"))).name !== ledger) {
    refuse("The certificate is of another ledger than its key.");
  }
  checkOrder(certificate);
  if (digest(certificate, "comparison.digest") !== digest(certificate, "comparison.rebuild_digest")) {
    refuse("The comparison in the certificate was not equal.");
  }
  const [record, purpose, ended, release, published, compared] = [
    "record_id", "purpose", "ended_at", "first_release_without.id",
    "first_release_without.published_at", "comparison.at",
  ].map((place) => text(certificate, place));
  return {
    isCertificate: true, record, purpose, ended, release, published, compared, ledger,
    line: `Genuine: ${purpose} ended at ${ended}; release ${release}, out at ${published}, ` +
      `is the first without it; compared with a rebuild at ${compared} and equal. ` +
      `Signed by ${ledger}.`,
  };
}

/** Learning ended, and the last release that knew came out; then the first without; then the
    comparison. */
function checkOrder(certificate) {
  digest(certificate, "first_release_without.digest");
  const before = [time(certificate, "ended_at")];
  // Nothing had been made while the person took part.
  if (part(certificate, "last_release_with") !== null) {
    digest(certificate, "last_release_with.digest");
    before.push(time(certificate, "last_release_with.published_at"));
  }
  const published = time(certificate, "first_release_without.published_at");
  if (before.some((one) => one > published) || published > time(certificate, "comparison.at")) {
    refuse("The times in the certificate are not in order.");
  }
}

function digest(certificate, place) {
  const found = text(certificate, place);
  return /^[0-9a-f]{64}$/.test(found) ? found : refuse(`The ${place} is not SHA-256 in hex.`);
}

/** Written alike, times are in the order of their text. */
function time(certificate, place) {
  const found = text(certificate, place);
  const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/.test(found);
  return isTime ? found : refuse(`The ${place} is not a time.`);
}

async function checkSignature(receipt, keys) {
  const signature = base64(text(receipt, "signature.value"), 64, "signature");
  const signer = text(receipt, "signature.key");
  const key =
    keys.findLast((one) => one.text === signer) ??
    refuse("The file is not signed by a key that you gave.");
  if (part(receipt, "signature").size > 2) {
    refuse("The signature holds more than a key and a value.");
  }
  const signed = new Map(receipt);
  signed.delete("signature");
  if (!(await verifySignature(key, signature, encode(canonical(signed))))) {
    refuse("The file was changed after it was signed.");
  }
}

/** Whatever is said in several places must be said alike. */
function checkAgreement(receipt) {
  const [purpose, notice, decision, time] = ["purpose", "notice", "decision", "time"].map((name) =>
    text(receipt, `ledger.statement.${name}`));
  if (!Object.hasOwn(STATES, decision)) {
    refuse("The receipt is about an unknown kind of decision.");
  }
  const alike = [
    ["ledger.leaf.purpose", () => purpose],
    ["ledger.leaf.decision", () => decision],
    ["ledger.leaf.notice", () => notice],
    ["ledger.leaf.time", () => time],
    ["notice.purpose", () => purpose],
    ["record.header.record_id", () => text(receipt, "ledger.statement.record_id")],
    ["record.header.pii_principal_id", () => text(receipt, "ledger.statement.pii_principal_id")],
    ["record.processing.purpose", () => purpose],
    ["record.processing.language", () => text(receipt, "ledger.statement.language")],
    ["record.processing.privacy_notice.sha256", () => notice],
    ["record.processing.privacy_notice.version", () => part(receipt, "notice.version")],
    ["record.event.event_state", () => STATES[decision]],
    ["record.event.event_time", () => time],
    ["record.event.validity_duration", () => validity(time, part(receipt, "ledger.statement.valid_until"))],
  ].map(([place, value]) => [place, value()]);
  for (const [place, value] of alike) {
    if (canonical(part(receipt, place)) !== canonical(value)) {
      refuse(`The receipt contradicts itself in ${place}.`);
    }
  }
}

function validity(time, until) {
  return until ? `${time}/${until}` : null;
}

/** What stands at a place such as "ledger.leaf.time". */
export function part(receipt, place) {
  let found = receipt;
  for (const name of place.split(".")) {
    if (!(found instanceof Map) || !found.has(name)) refuse(`The file lacks ${place}.`);
    found = found.get(name);
  }
  return found;
}

function text(receipt, place) {
  const found = part(receipt, place);
  return typeof found === "string" ? found : refuse(`The file lacks ${place}.`);
}
