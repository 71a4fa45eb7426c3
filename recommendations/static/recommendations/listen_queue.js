/**
 * Listens on their way to the server: nothing is lost by a closed page or a lost connection, and a
 * listen that is sent twice counts once, because its id is made here.
 */

import { forget, keep, kept } from "./device.js";

const ADDRESS = "/api/v1/listens/";
const BATCH = 50;
const FIRST_WAIT_MILLISECONDS = 5_000;
const LONGEST_WAIT_MILLISECONDS = 300_000;
const REFUSED = [401, 403]; // signed out, or the consent is gone
const LATER = [408, 425, 429];

/** @returns {string} */
function csrfToken() {
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]*)/)?.[1] ?? "";
}

/**
 * Posts JSON to our own server.
 * @param {string} address
 * @param {object} body
 * @param {{keepalive?: boolean}} [options]  keepalive outlives the page
 * @returns {Promise<number>} the status; 0 when the server was not reached
 */
export async function post(address, body, { keepalive = false } = {}) {
  try {
    const response = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
      keepalive,
    });
    return response.status;
  } catch {
    return 0;
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
    this.isRefused = false;
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
    if (this.isRefused) {
      await keep("listens", listen);
      return;
    }
    this.waiting.set(listen.id, listen);
    await keep("queue", listen);
  }

  /**
   * Sends what waits.
   * @param {{isLeaving?: boolean}} [options]  the page is going: do not wait for anything
   */
  async send({ isLeaving = false } = {}) {
    const listens = [...this.waiting.values()]
      .filter((listen) => !this.onTheWay.has(listen))
      .slice(0, BATCH);
    if (!listens.length || this.isRefused) return;
    if (!isLeaving && Date.now() < this.notBefore) return;
    for (const listen of listens) this.onTheWay.add(listen);
    try {
      await this.sendBatch(listens, isLeaving);
    } finally {
      for (const listen of listens) this.onTheWay.delete(listen);
    }
  }

  /** @param {Listen[]} listens @param {boolean} keepalive */
  async sendBatch(listens, keepalive) {
    const status = await post(ADDRESS, { listens: listens.map(forServer) }, { keepalive });
    if (status >= 200 && status < 300) {
      this.wait = FIRST_WAIT_MILLISECONDS;
      await this.drop(listens);
    } else if (REFUSED.includes(status)) {
      this.isRefused = true;
      await this.bringHome();
    } else if (status >= 400 && status < 500 && !LATER.includes(status)) {
      await this.dropWrong(listens, keepalive);
    } else {
      this.notBefore = Date.now() + this.wait * (0.75 + Math.random() / 2);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MILLISECONDS);
    }
  }

  /**
   * One listen of a batch was not accepted: alone, each shows whether it is the one.
   * @param {Listen[]} listens @param {boolean} keepalive
   */
  async dropWrong(listens, keepalive) {
    if (listens.length === 1) {
      await this.drop(listens);
      return;
    }
    for (const listen of listens) {
      if (this.waiting.has(listen.id)) await this.sendBatch([listen], keepalive);
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

  /** Nothing may be sent any more: what waits becomes part of what this device keeps. */
  async bringHome() {
    const listens = [...this.waiting.values()];
    this.waiting.clear();
    for (const listen of listens) {
      await keep("listens", listen);
      await forget("queue", listen.id);
    }
  }
}
