/* JSON in one form only, as verify_receipt.py reads and writes it. Objects become Maps, which keep
   every name as it is written. */

/** Something does not hold; the message tells a person what. */
export class Invalid extends Error {}

/** @returns {never} */
export function refuse(reason) {
  throw new Invalid(reason);
}

const MAX_INTEGER = 2 ** 53 - 1;

// The names of receipts and certificates from top to bottom; all others follow by the alphabet.
const ORDER = [
  "receipt_id", "@type", "schema_version", "record", "header", "record_id", "pii_principal_id",
  "processing", "purpose", "decision", "time", "valid_until", "event", "event_state", "event_time",
  "notice", "version", "texts", "title", "sentence", "ended_at", "last_release_with",
  "first_release_without", "id", "published_at", "comparison", "at", "digest", "rebuild_digest",
  "ledger", "statement", "opening", "leaf", "proof", "signature", "@context",
];

export const NOT_JSON = "The file is not a receipt: it is not JSON in UTF-8.";
const SPACE = /[ \t\n\r]*/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const WORD = /true|false|null|NaN|Infinity|-Infinity/y;
const WORDS = new Map([["true", true], ["false", false], ["null", null]]);

/** @param {string} text @returns what it says; throws `Invalid` */
export function readJson(text) {
  return new Reader(text).document();
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /** The next match of a sticky pattern, or null; the reader moves past it. */
  take(pattern) {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match;
  }

  /** Whether this character comes next, after any space; the reader moves past it. */
  skip(character) {
    this.take(SPACE);
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  expect(character) {
    if (!this.skip(character)) refuse(NOT_JSON);
  }

  document() {
    const value = this.value();
    this.take(SPACE);
    if (this.at < this.text.length) refuse(NOT_JSON);
    return value;
  }

  value() {
    if (this.skip("{")) return this.object();
    if (this.skip("[")) return this.list();
    const text = this.take(TEXT);
    if (text) return JSON.parse(text[0]);
    const word = this.take(WORD);
    if (word) return this.word(word[0]);
    const number = this.take(NUMBER);
    if (!number) refuse(NOT_JSON);
    if (number[2] || number[3]) refuse("The file holds a number that is not whole.");
    return this.integer(number[1]);
  }

  word(text) {
    if (!WORDS.has(text)) refuse("The file holds a number that is not whole.");
    return WORDS.get(text);
  }

  integer(text) {
    if (text.length > 17 || Math.abs(Number(text)) > MAX_INTEGER) {
      refuse("The file holds a number that is too large.");
    }
    // There is no -0 among whole numbers.
    return Number(text) + 0;
  }

  list() {
    const found = [];
    if (this.skip("]")) return found;
    do found.push(this.value());
    while (this.skip(","));
    this.expect("]");
    return found;
  }

  object() {
    const pairs = [];
    if (this.skip("}")) return new Map();
    do {
      this.take(SPACE);
      const name = this.take(TEXT) ?? refuse(NOT_JSON);
      this.expect(":");
      pairs.push([JSON.parse(name[0]), this.value()]);
    } while (this.skip(","));
    this.expect("}");
    const found = new Map(pairs);
    if (found.size < pairs.length) refuse("The file says something twice.");
    return found;
  }
}

/** The order of Unicode's code points, which is not that of JavaScript's code units. */
function byCodePoint(left, right) {
  const [a, b] = [[...left], [...right]];
  const at = a.findIndex((character, index) => character !== b[index]);
  if (at < 0) return a.length - b.length;
  return at < b.length ? a[at].codePointAt() - b[at].codePointAt() : 1;
}

function byOrder(left, right) {
  const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return rank(left) - rank(right) || byCodePoint(left, right);
}

/** @param {{order: Function, colon: string, line: Function}} form how it is laid out */
function write(value, form, depth = 0) {
  if (!(value instanceof Map || Array.isArray(value))) return JSON.stringify(value);
  const items =
    value instanceof Map
      ? [...value.keys()].sort(form.order).map((name) =>
          JSON.stringify(name) + form.colon + write(value.get(name), form, depth + 1))
      : value.map((item) => write(item, form, depth + 1));
  const [open, close] = value instanceof Map ? "{}" : "[]";
  if (items.length === 0) return open + close;
  const inside = items.map((item) => form.line(depth + 1) + item).join(",");
  return open + inside + form.line(depth) + close;
}

const CANONICAL = { order: byCodePoint, colon: ":", line: () => "" };
const FILE = { order: byOrder, colon: ": ", line: (depth) => "\n" + "  ".repeat(depth) };

/** @returns {string} sorted keys, without spaces */
export function canonical(value) {
  return write(value, CANONICAL);
}

/** @returns {string} the only form in which a receipt is issued */
export function asFile(value) {
  return write(value, FILE) + "\n";
}
