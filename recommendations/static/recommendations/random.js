/**
 * Randomness that can be repeated: the same seed gives the same sequence on every device.
 */

/** @typedef {() => number} Random  the next number in [0, 1) */

/**
 * A generator for a seed: FNV-1a hashes the seed, mulberry32 goes on from there.
 * @param {string|number} seed
 * @returns {Random}
 */
export function seeded(seed) {
  let state = 2166136261;
  for (const letter of String(seed)) {
    state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A number between the two ends of a range.
 * @param {Random} random
 * @param {[number, number]} range
 */
export function between(random, [low, high]) {
  return low + (high - low) * random();
}

/**
 * The same for pitches: equal musical distances are equally likely.
 * @param {Random} random
 * @param {[number, number]} range  Hz
 */
export function pitchBetween(random, [low, high]) {
  return low * (high / low) ** random();
}
