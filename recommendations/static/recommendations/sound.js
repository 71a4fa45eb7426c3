/**
 * A soundscape made from its recipe, in a live context or an offline one.
 */

import { addLayer } from "./layers.js";
import { roomEcho } from "./noise.js";
import { seeded } from "./random.js";

/**
 * @typedef {{layers: Layer[]}} Recipe
 * @typedef {{output: AudioNode, stop: () => void}} Soundscape
 */

// A page in the background may run its timers once a second or more rarely; what sounds in the next
// seconds is therefore always planned already.
const AHEAD_SECONDS = 8;
const PLAN_EVERY_MILLISECONDS = 1000;
const CEILING = 0.97;
const SOFT_FROM = 0.75;

/**
 * Builds a soundscape; it sounds as soon as its output is connected. The same seed gives the same
 * soundscape. Fades are the caller's.
 * @param {BaseAudioContext} context
 * @param {Recipe} recipe
 * @param {{seed: string|number}} options
 * @returns {Soundscape}
 * @throws {RangeError} the recipe names a source or noise that does not exist
 */
export function createSoundscape(context, recipe, { seed }) {
  const output = new GainNode(context);
  const room = echo(context, recipe, output);
  const random = seeded(seed);
  /** @type {AudioScheduledSourceNode[]} */
  const held = [];
  const mix = {
    context, random, seed: String(seed), output, room,
    loop(buffer) {
      const source = new AudioBufferSourceNode(context, { buffer, loop: true });
      source.playbackRate.value = 0.96 + 0.08 * random();
      source.start(0, random() * buffer.duration);
      held.push(source);
      return source;
    },
    hold(source) {
      source.start();
      held.push(source);
      return source;
    },
  };
  const plans = recipe.layers.map((layer) => addLayer(mix, layer));
  const stopPlanning = keepPlanned(context, plans);
  return {
    output,
    stop() {
      stopPlanning();
      for (const source of held) source.stop();
      output.disconnect();
    },
  };
}

/**
 * The room of a soundscape; without a layer that echoes there is none, since it costs the most.
 * @param {BaseAudioContext} context
 * @param {Recipe} recipe
 * @param {AudioNode} output
 */
function echo(context, recipe, output) {
  if (!recipe.layers.some((layer) => layer.room)) return output;
  const room = new ConvolverNode(context, { buffer: roomEcho(context) });
  room.connect(output);
  return room;
}

/**
 * @param {BaseAudioContext} context
 * @param {((until: number) => void)[]} plans
 * @returns {() => void} ends it
 */
function keepPlanned(context, plans) {
  const planUntil = (/** @type {number} */ until) => plans.forEach((plan) => plan(until));
  if (context instanceof OfflineAudioContext) {
    planUntil(context.length / context.sampleRate);
    return () => {};
  }
  const planAhead = () => planUntil(context.currentTime + AHEAD_SECONDS);
  planAhead();
  const timer = setInterval(planAhead, PLAN_EVERY_MILLISECONDS);
  return () => clearInterval(timer);
}

/**
 * Keeps whatever is played under full scale: a compressor for what is loud, then a curve that
 * bends softly into a ceiling and so cannot be passed.
 * @param {BaseAudioContext} context
 * @returns {{input: AudioNode, output: AudioNode}}
 */
export function limiter(context) {
  const threshold = -3;
  const ratio = 20;
  const compressor = new DynamicsCompressorNode(context, {
    threshold, ratio, knee: 0, attack: 0.003, release: 0.25,
  });
  // The compressor adds (full-range gain)^-0.6 of its own (Web Audio, 1.19); this takes it back.
  const trim = new GainNode(context, { gain: 10 ** ((0.6 * threshold * (1 - 1 / ratio)) / 20) });
  const curve = Float32Array.from({ length: 4097 }, (_, at) => bend(at / 2048 - 1));
  const ceiling = new WaveShaperNode(context, { curve });
  compressor.connect(trim).connect(ceiling);
  return { input: compressor, output: ceiling };
}

/** @param {number} sample  -1 … 1 */
function bend(sample) {
  const size = Math.abs(sample);
  if (size <= SOFT_FROM) return sample;
  const span = CEILING - SOFT_FROM;
  return Math.sign(sample) * (SOFT_FROM + span * Math.tanh((size - SOFT_FROM) / span));
}
