/**
 * Noise that loops without a seam, and the echo of a room made from it.
 */

import { seeded } from "./random.js";

/** @typedef {"white"|"pink"|"brown"} NoiseColor */

const SECONDS = 17;
const ROOM_SECONDS = 2.8;
const WARM_UP_SECONDS = 1;
const LOUDNESS = 0.25; // root mean square of every color, so that gains mean the same for all
const SHARED = 0.6; // how much of each ear's noise is in both: wide, yet nothing pulls to a side

/** @typedef {(white: number) => number} Pass  a filter's next output */

/** @returns {Pass} */
function passWhite() {
  return (white) => white;
}

/**
 * Pink noise: three leaky integrators whose sum falls 3 dB an octave (Kellet's economy filter).
 * @returns {Pass}
 */
function passPink() {
  let low = 0;
  let middle = 0;
  let high = 0;
  return (white) => {
    low = 0.99765 * low + 0.099046 * white;
    middle = 0.963 * middle + 0.2965164 * white;
    high = 0.57 * high + 1.0526913 * white;
    return low + middle + high + 0.1848 * white;
  };
}

/**
 * Brown noise: one leaky integrator, 6 dB an octave above 45 Hz. Below that it would only move the
 * loudspeaker, unheard.
 * @param {number} rate  samples per second
 * @returns {Pass}
 */
function passBrown(rate) {
  const keep = Math.exp((-2 * Math.PI * 45) / rate);
  let level = 0;
  return (white) => (level = keep * level + white);
}

const FILTERS = { white: passWhite, pink: passPink, brown: passBrown };

/** @param {Float32Array} samples */
function level(samples) {
  const length = samples.length;
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < length; at += 1) {
    sum += samples[at];
    squares += samples[at] * samples[at];
  }
  const mean = sum / length;
  const scale = LOUDNESS / Math.sqrt(squares / length - mean * mean);
  for (let at = 0; at < length; at += 1) samples[at] = (samples[at] - mean) * scale;
}

/**
 * Colors white noise in place, as if it had been going round for ever: the filter first runs over
 * the end of the loop, so that its state at the start is the state it will have at the seam.
 * @param {Float32Array} samples
 * @param {NoiseColor} color
 * @param {number} rate  samples per second
 */
function colorLoop(samples, color, rate) {
  const pass = FILTERS[color](rate);
  const warmUp = WARM_UP_SECONDS * rate;
  for (let at = samples.length - warmUp; at < samples.length; at += 1) pass(samples[at]);
  for (let at = 0; at < samples.length; at += 1) samples[at] = pass(samples[at]);
  level(samples);
}

/** @type {Map<string, AudioBuffer>} made once for a visit; buffers belong to no context */
const made = new Map();

/** @param {string} name @param {() => AudioBuffer} make */
function once(name, make) {
  if (!made.has(name)) made.set(name, make());
  return made.get(name);
}

/**
 * A stereo loop of noise.
 * @param {BaseAudioContext} context
 * @param {NoiseColor} color
 * @returns {AudioBuffer} 17 s, two channels, root mean square 0.25
 * @throws {RangeError} there is no such color
 */
export function noiseLoop({ sampleRate }, color) {
  if (!(color in FILTERS)) throw new RangeError(`There is no noise of the color "${color}".`);
  return once(`${color} ${sampleRate}`, () => makeLoop(sampleRate, color));
}

/**
 * Both ears are drawn from one round of white noise: a part they share and a part from a third of
 * the way round, the other way for each. One draw a sample is a third of the wait before the sound.
 * @param {number} rate  samples per second
 * @param {NoiseColor} color
 */
function makeLoop(rate, color) {
  const random = seeded(`noise ${color}`);
  const length = Math.round(SECONDS * rate);
  const third = Math.round(length / 3);
  const white = new Float32Array(length);
  for (let at = 0; at < length; at += 1) white[at] = random() * 2 - 1;
  const buffer = new AudioBuffer({ numberOfChannels: 2, length, sampleRate: rate });
  [third, length - third].forEach((shift, ear) => {
    const samples = buffer.getChannelData(ear);
    for (let at = 0, own = shift; at < length; at += 1, own = own + 1 === length ? 0 : own + 1) {
      samples[at] = SHARED * white[at] + (1 - SHARED) * white[own];
    }
    colorLoop(samples, color, rate);
  });
  return buffer;
}

/**
 * The echo of a large soft room: noise that dies away and loses its highs first.
 * @param {BaseAudioContext} context
 * @returns {AudioBuffer} 2.8 s, until it is 60 dB down
 */
export function roomEcho({ sampleRate }) {
  return once(`room ${sampleRate}`, () => makeEcho(sampleRate));
}

/** @param {number} rate  samples per second */
function makeEcho(rate) {
  const random = seeded("room");
  const length = Math.round(ROOM_SECONDS * rate);
  const buffer = new AudioBuffer({ numberOfChannels: 2, length, sampleRate: rate });
  for (const channel of [buffer.getChannelData(0), buffer.getChannelData(1)]) {
    let soft = 0;
    for (let at = 0; at < length; at += 1) {
      const part = at / length;
      soft += (random() * 2 - 1 - soft) * (0.55 - 0.45 * part);
      channel[at] = soft * 0.001 ** part * Math.min(1, part * 60);
    }
  }
  return buffer;
}
