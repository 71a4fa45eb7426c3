/**
 * Listens on their way to the server: nothing is lost by a closed page or a lost connection, and a
 * listen that is sent twice counts once, because its id is made here.
 */

import { forget, keep, kept } from "./device.js";
import { endConsent, endSession, pagePerson } from "./person.js";

const ADDRESS = "/api/v1/listens/";
const BATCH = 50;
const FIRST_WAIT_MILLISECONDS = 5_000;
const LONGEST_WAIT_MILLISECONDS = 300_000;
const WITHDRAWN = "consent_missing_listening_store";
const LATER = [408, 425, 429];

/**
 * Posts listens to our own server, also when the page goes meanwhile.
 * @param {Listen[]} listens
 * @param {string} csrf
 * @returns {Promise<{status: number, code: string}>} status 0 when the server was not reached
 */
async function post(listens, csrf) {
  try {
    const response = await fetch(ADDRESS, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
      body: JSON.stringify({ listens: listens.map(forServer) }),
      keepalive: true,
    });
    const { code = "" } = response.status === 403 ? await response.json() : {};
    return { status: response.status, code };
  } catch {
    return { status: 0, code: "" };
  }
}

/** @param {Listen} listen */
function forServer({ id, startedAt, seconds, position, card }) {
  return { id, practice: card.slug, started_at: startedAt, seconds, position };
}

export class ListenQueue {
  constructor() {
    /** @type {Map<string, Listen>} the truth while the page lives; the stored copy is for later */
    this.waiting = new Map();
    /** @type {Set<Listen>} sent and not yet answered */
    this.onTheWay = new Set();
    this.wait = FIRST_WAIT_MILLISECONDS;
    this.notBefore = 0;
  }

  /** Takes up what an earlier page could not send. */
  async restore() {
    for (const listen of await kept("queue")) {
      if (!this.waiting.has(listen.id)) this.waiting.set(listen.id, listen);
    }
  }

  /** @param {Listen} listen  replaces what is queued of the same listen */
  async add(listen) {
    this.waiting.set(listen.id, listen);
    await keep("queue", listen);
  }

  /** What waits is forgotten with everything else that this browser keeps. */
  clear() {
    this.waiting.clear();
  }

  /**
   * Sends what was heard under the consent that is in force, and brings home what the same person
   * heard under another. What somebody else heard waits until they are back.
   * @param {{isLeaving?: boolean}} [options]  the page is going: do not wait for anything
   */
  async send({ isLeaving = false } = {}) {
    const { key, consent } = pagePerson();
    const own = [...this.waiting.values()].filter((listen) => listen.person === key);
    await Promise.all([
      this.bringHome(own.filter((listen) => listen.consent !== consent)),
      this.sendWaiting(own.filter((listen) => listen.consent === consent), isLeaving),
    ]);
  }

  /** @param {Listen[]} listens @param {boolean} isLeaving */
  async sendWaiting(listens, isLeaving) {
    if (!isLeaving && Date.now() < this.notBefore) return;
    const batch = listens.filter((listen) => !this.onTheWay.has(listen)).slice(0, BATCH);
    if (!batch.length) return;
    for (const listen of batch) this.onTheWay.add(listen);
    try {
      await this.sendBatch(batch);
    } finally {
      for (const listen of batch) this.onTheWay.delete(listen);
    }
  }

  /** @param {Listen[]} listens  of one person */
  async sendBatch(listens) {
    const asked = pagePerson();
    if (asked.consent !== listens[0].consent) return;
    const { status, code } = await post(listens, asked.csrf);
    const isSamePage = pagePerson().csrf === asked.csrf;
    if (status >= 200 && status < 300) {
      this.wait = FIRST_WAIT_MILLISECONDS;
      await this.drop(listens);
    } else if (code === WITHDRAWN) {
      if (isSamePage) endConsent();
      await this.bringHome(listens);
    } else if (status === 401 || status === 403) {
      if (isSamePage) endSession();
    } else if (status >= 400 && status < 500 && !LATER.includes(status)) {
      await this.dropWrong(listens);
    } else {
      this.notBefore = Date.now() + this.wait * (0.75 + Math.random() / 2);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MILLISECONDS);
    }
  }

  /**
   * One listen of a batch was not accepted: alone, each shows whether it is the one.
   * @param {Listen[]} listens
   */
  async dropWrong(listens) {
    if (listens.length === 1) {
      await this.drop(listens);
      return;
    }
    for (const listen of listens) {
      if (this.waiting.has(listen.id)) await this.sendBatch([listen]);
    }
  }

  /** @param {Listen[]} listens  those that have grown since they were sent stay */
  async drop(listens) {
    for (const listen of listens) {
      if (this.waiting.get(listen.id) !== listen) continue;
      this.waiting.delete(listen.id);
      await forget("queue", listen.id);
    }
  }

  /** @param {Listen[]} listens  not to be sent any more: part of what this browser keeps */
  async bringHome(listens) {
    for (const { id } of listens) {
      const listen = this.waiting.get(id);
      if (!listen) continue;
      this.waiting.delete(id);
      await keep("listens", listen);
      await forget("queue", id);
    }
  }
}
