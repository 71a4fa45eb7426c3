/**
 * Textures of many small sounds (drops, crackle, crickets) written into one loop each. A grain that
 * runs over the end of the loop goes on at its start, so there is no seam to hear.
 */

import { between, pitchBetween, seeded } from "./random.js";

/** @typedef {(at: number) => number} Grain  the sample at a distance from the grain's start */

const SECONDS = 19;
const ATTACK_SECONDS = 0.0015;
const DECAYS = 6; // a grain is written for six of its decay times: 52 dB down

/**
 * Adds a grain to a loop at an equal-power place between the ears.
 * @param {AudioBuffer} loop
 * @param {{start: number, length: number, loudness: number, pan: number, grain: Grain}} what
 */
function write(loop, { start, length, loudness, pan, grain }) {
  const [left, right] = [loop.getChannelData(0), loop.getChannelData(1)];
  const toLeft = loudness * Math.cos((pan + 1) * (Math.PI / 4));
  const toRight = loudness * Math.sin((pan + 1) * (Math.PI / 4));
  for (let at = 0; at < length; at += 1) {
    const sample = grain(at);
    const place = (start + at) % left.length;
    left[place] += sample * toLeft;
    right[place] += sample * toRight;
  }
}

/**
 * A damped sine, by recurrence: no sine per sample.
 * @param {number} pitch  Hz
 * @param {number} decay  seconds to fall to 1/e
 * @param {number} rate  samples per second
 * @returns {Grain}
 */
function ping(pitch, decay, rate) {
  const damping = Math.exp(-1 / (decay * rate));
  const turn = 2 * damping * Math.cos((2 * Math.PI * pitch) / rate);
  const attack = ATTACK_SECONDS * rate;
  let before = 0;
  let now = Math.sin((2 * Math.PI * pitch) / rate);
  return (at) => {
    const sample = now;
    now = turn * sample - damping * damping * before;
    before = sample;
    return sample * Math.min(1, at / attack);
  };
}

/**
 * A snap: a burst of softened noise.
 * @param {number} pitch  Hz, above which it is softened
 * @param {number} decay  seconds to fall to 1/e
 * @param {number} rate  samples per second
 * @param {Random} random
 * @returns {Grain}
 */
function snap(pitch, decay, rate, random) {
  const softness = 1 - Math.exp((-2 * Math.PI * pitch) / rate);
  const damping = Math.exp(-1 / (decay * rate));
  const attack = ATTACK_SECONDS * 0.4 * rate;
  let sample = 0;
  let loudness = 1;
  return (at) => {
    sample += (random() * 2 - 1 - sample) * softness;
    loudness *= damping;
    return sample * loudness * Math.min(1, at / attack);
  };
}

/**
 * One smooth pulse of a sine.
 * @param {number} pitch  Hz
 * @param {number} length  samples
 * @param {number} rate  samples per second
 * @returns {Grain}
 */
function pulse(pitch, length, rate) {
  const turn = (2 * Math.PI * pitch) / rate;
  return (at) => Math.sin(turn * at) * Math.sin((Math.PI * at) / length) ** 2;
}

/**
 * Many grains at random moments: `rate` a second, `pitch` in Hz, `decay` in milliseconds. Most are
 * quiet and a few are near, as in nature.
 * @param {AudioBuffer} loop
 * @param {Layer} layer
 * @param {Random} random
 */
function scatter(loop, layer, random) {
  const rate = loop.sampleRate;
  const count = Math.round(layer.rate * SECONDS);
  for (let number = 0; number < count; number += 1) {
    const decay = between(random, layer.decay) / 1000;
    const pitch = pitchBetween(random, layer.pitch);
    write(loop, {
      start: Math.floor(random() * loop.length),
      length: Math.round(decay * DECAYS * rate),
      loudness: 0.04 + 0.5 * random() ** 4,
      pan: (random() * 2 - 1) * 0.7,
      grain: layer.source === "drops"
        ? ping(pitch, decay, rate)
        : snap(pitch, decay, rate, random),
    });
  }
}

/**
 * `count` crickets, each with its own pitch, place and pace: `pulses` in a chirp, `rate` chirps a
 * second. A whole number of chirps fits the loop.
 * @param {AudioBuffer} loop
 * @param {Layer} layer
 * @param {Random} random
 */
function crickets(loop, layer, random) {
  const rate = loop.sampleRate;
  for (let number = 0; number < layer.count; number += 1) {
    const pitch = pitchBetween(random, layer.pitch);
    const pan = ((number + 0.5) / layer.count) * 1.4 - 0.7;
    const loudness = between(random, [0.08, 0.2]);
    const chirps = Math.round(layer.rate * between(random, [0.85, 1.15]) * SECONDS);
    const shift = Math.floor(random() * loop.length);
    const length = Math.round(0.022 * rate);
    for (let at = 0; at < chirps * layer.pulses; at += 1) {
      const chirp = Math.floor(at / layer.pulses) * (loop.length / chirps);
      const start = Math.floor(shift + chirp + (at % layer.pulses) * length * 1.5);
      const grain = pulse(pitch, length, rate);
      write(loop, { start, length, loudness: loudness * between(random, [0.8, 1]), pan, grain });
    }
  }
}

/**
 * The loop of a texture layer.
 * @param {BaseAudioContext} context
 * @param {Layer} layer
 * @param {string} seed
 * @returns {AudioBuffer} 19 s, two channels
 */
export function grainLoop(context, layer, seed) {
  const rate = context.sampleRate;
  const loop = context.createBuffer(2, Math.round(SECONDS * rate), rate);
  const fill = layer.source === "crickets" ? crickets : scatter;
  fill(loop, layer, seeded(seed));
  return loop;
}
