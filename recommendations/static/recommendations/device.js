/**
 * What is kept in this browser and nowhere else: listens, favorites, ratings, places to go on from,
 * and the queue of listens that are still to be sent.
 */

const NAME = "listening";
const VERSION = 1;
const KEYS = { listens: "id", queue: "id", favorites: "slug", ratings: "slug", positions: "slug" };

/** @typedef {keyof typeof KEYS} Store */

/**
 * @typedef {object} Card  enough to draw a practice without asking the server
 * @property {string} slug
 * @property {string} title
 * @property {string} url
 * @property {string} kindLabel
 * @property {string} picture  SVG source, or ""
 *
 * @typedef {object} Listen
 * @property {string} id  UUID
 * @property {string} startedAt  ISO 8601, UTC
 * @property {number} seconds  heard
 * @property {number} position  seconds reached
 * @property {Card} card
 * @property {string} person  opaque key of whoever heard it, "" for nobody
 * @property {string} consent  opaque key of the consent it was heard under, "" without one
 */

/** Browsers that refuse IndexedDB (some do in private windows) get the same in localStorage. */
const inLocalStorage = {
  /** @param {Store} store @returns {Record<string, object>} */
  read(store) {
    return JSON.parse(localStorage.getItem(`${NAME}.${store}`) ?? "{}");
  },
  all: async (store) => Object.values(inLocalStorage.read(store)),
  async put(store, value) {
    const values = { ...inLocalStorage.read(store), [value[KEYS[store]]]: value };
    localStorage.setItem(`${NAME}.${store}`, JSON.stringify(values));
  },
  async putAll(values) {
    for (const [store, rows] of Object.entries(values)) {
      const keyed = rows.map((row) => [row[KEYS[store]], row]);
      const merged = { ...inLocalStorage.read(store), ...Object.fromEntries(keyed) };
      localStorage.setItem(`${NAME}.${store}`, JSON.stringify(merged));
    }
  },
  async remove(store, key) {
    const values = inLocalStorage.read(store);
    delete values[key];
    localStorage.setItem(`${NAME}.${store}`, JSON.stringify(values));
  },
  async clear() {
    for (const store of Object.keys(KEYS)) localStorage.removeItem(`${NAME}.${store}`);
  },
};

/**
 * @param {IDBRequest|IDBTransaction} pending
 * @param {"success"|"complete"} event
 */
function settled(pending, event) {
  return new Promise((resolve, reject) => {
    pending.addEventListener(event, () => resolve(pending.result));
    pending.addEventListener("error", () => reject(pending.error));
    pending.addEventListener("abort", () => reject(pending.error));
  });
}

/** @param {IDBDatabase} database */
function inIndexedDb(database) {
  /** @param {string[]} stores @param {(transaction: IDBTransaction) => void} act */
  const write = (stores, act, options = {}) => {
    const transaction = database.transaction(stores, "readwrite", options);
    act(transaction);
    return settled(transaction, "complete");
  };
  return {
    all: (store) => settled(database.transaction(store).objectStore(store).getAll(), "success"),
    put: (store, value) => write([store], (on) => on.objectStore(store).put(value)),
    // On the disk when it is done: elsewhere it may be deleted then.
    putAll: (values) => write(Object.keys(values), (on) => {
      for (const [store, rows] of Object.entries(values)) {
        for (const row of rows) on.objectStore(store).put(row);
      }
    }, { durability: "strict" }),
    remove: (store, key) => write([store], (on) => on.objectStore(store).delete(key)),
    clear: () => write(Object.keys(KEYS), (on) => {
      for (const store of Object.keys(KEYS)) on.objectStore(store).clear();
    }),
  };
}

async function open() {
  try {
    const request = indexedDB.open(NAME, VERSION);
    request.addEventListener("upgradeneeded", () => {
      for (const [store, keyPath] of Object.entries(KEYS)) {
        request.result.createObjectStore(store, { keyPath });
      }
    });
    return inIndexedDb(await settled(request, "success"));
  } catch {
    return inLocalStorage;
  }
}

const opened = open();

/** @param {Store} store @returns {Promise<object[]>} */
export async function kept(store) {
  return (await opened).all(store);
}

/** @param {Store} store @param {object} value  with the store's key in it; replaces an older one */
export async function keep(store, value) {
  await (await opened).put(store, value);
}

/**
 * Keeps a lot at once: all of it or, where the browser has IndexedDB, nothing.
 * @param {Partial<Record<Store, object[]>>} values  each with its store's key in it
 */
export async function keepAll(values) {
  await (await opened).putAll(values);
}

/** @param {Store} store @param {string} key */
export async function forget(store, key) {
  await (await opened).remove(store, key);
}

/** Forgets everything that is kept in this browser. */
export async function forgetAll() {
  await (await opened).clear();
}

/**
 * Where the person was in a practice.
 * @param {string} slug
 * @returns {Promise<number>} seconds; 0 if nothing is known
 */
export async function readPosition(slug) {
  const places = await kept("positions");
  return places.find((place) => place.slug === slug)?.seconds ?? 0;
}
