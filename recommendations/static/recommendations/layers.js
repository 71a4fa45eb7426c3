/**
 * The words a soundscape is written in. A layer is a few lines of data:
 *
 *   source   noise    color = white|pink|brown
 *            drops    rate a second, pitch = [low, high] Hz, decay = [short, long] ms
 *            crackle  the same, in snaps instead of tones
 *            crickets count, rate of chirps a second, pulses in one, pitch
 *            drone    notes in Hz, overtones = loudness of each harmonic, beat in Hz
 *            waves    color, every, rise, fall, rest = 0…1, dull, bright (Hz)
 *            thunder  every, length, pitch
 *            chirps   every, pitch, syllables, length, gap, sweep
 *            bowls    every, notes, length, strike
 *            horn     every, notes, length
 *            drips    every, pitch, sweep
 *            clack    every, beats, pitch = [thump, tick]
 *   every    [shortest, longest] seconds from one to the next
 *   gain     loudness; 1 is the source as it is
 *   lowpass, highpass, band   Hz; q = sharpness of the band
 *   wander   [cents, seconds]: how far and how slowly the filters drift
 *   swell    [0…1, seconds]: how deep and how slowly the loudness moves
 *   pan      -1 left … 1 right
 *   room     0…1, how much of it echoes
 */

import { grainLoop } from "./grains.js";
import { noiseLoop } from "./noise.js";
import { between } from "./random.js";
import { VOICES } from "./voices.js";

/**
 * @typedef {object} Layer
 * @property {string} source
 * @property {number} [gain]
 * @property {"white"|"pink"|"brown"} [color]
 * @property {number} [rate]
 * @property {number} [count]
 * @property {number} [pulses]
 * @property {[number, number]} [pitch]
 * @property {[number, number]} [decay]
 * @property {[number, number]} [every]
 * @property {[number, number]|number} [length]
 * @property {[number, number]} [syllables]
 * @property {number} [gap]
 * @property {number} [sweep]
 * @property {number} [rise]
 * @property {number} [fall]
 * @property {number} [rest]
 * @property {number} [dull]
 * @property {number} [bright]
 * @property {number} [strike]
 * @property {number} [beat]
 * @property {number[]} [notes]
 * @property {number[]} [overtones]
 * @property {number[]} [beats]
 * @property {number} [lowpass]
 * @property {number} [highpass]
 * @property {number} [band]
 * @property {number} [q]
 * @property {[number, number]} [wander]
 * @property {[number, number]} [swell]
 * @property {number} [pan]
 * @property {number} [room]
 *
 * @typedef {object} Mix  what the layers of one soundscape share
 * @property {BaseAudioContext} context
 * @property {Random} random
 * @property {string} seed
 * @property {(buffer: AudioBuffer) => AudioBufferSourceNode} loop  starts a loop somewhere inside
 * @property {(source: OscillatorNode) => OscillatorNode} hold  starts a tone that stays
 * @property {AudioNode} output
 * @property {AudioNode} room
 */

const GOLDEN = 1.618; // two slow waves in this ratio never fall into step
const STEADY = {
  noise: (mix, layer) => mix.loop(noiseLoop(mix.context, layer.color)),
  drops: texture,
  crackle: texture,
  crickets: texture,
};

/** @param {Mix} mix @param {Layer} layer */
function texture(mix, layer) {
  return mix.loop(grainLoop(mix.context, layer, `${mix.seed} ${JSON.stringify(layer)}`));
}

/**
 * Two slow sines on a parameter: a movement that does not repeat.
 * @param {Mix} mix
 * @param {AudioParam} parameter
 * @param {number} depth  how far it moves to either side
 * @param {number} seconds
 */
function move(mix, parameter, depth, seconds) {
  for (const period of [seconds, seconds * GOLDEN]) {
    const slow = mix.hold(new OscillatorNode(mix.context, { frequency: 1 / period }));
    slow.connect(new GainNode(mix.context, { gain: depth / 2 })).connect(parameter);
  }
}

/**
 * Tones that stay: each note twice, `beat` Hz apart, one a little to each side.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 */
function drone(mix, layer, into) {
  const { context, random } = mix;
  const imaginary = Float32Array.from([0, ...layer.overtones]);
  const periodicWave = new PeriodicWave(context, { imag: imaginary });
  for (const note of layer.notes) {
    for (const side of [-1, 1]) {
      const frequency = note + (side * layer.beat) / 2;
      const breath = new GainNode(context, { gain: 0.75 / layer.notes.length });
      move(mix, breath.gain, 0.25 / layer.notes.length, between(random, [7, 15]));
      mix.hold(new OscillatorNode(context, { frequency, periodicWave }))
        .connect(breath)
        .connect(new StereoPannerNode(context, { pan: side * 0.35 }))
        .connect(into);
    }
  }
}

/**
 * Filters, swell, place and echo of a layer.
 * @param {Mix} mix
 * @param {Layer} layer
 * @returns {AudioNode} what the layer's source plays into
 */
function chain(mix, layer) {
  const { context } = mix;
  const first = new GainNode(context, { gain: layer.gain ?? 1 });
  const { highpass, lowpass, band: bandpass, q: Q = 0.5 } = layer;
  const filters = Object.entries({ highpass, lowpass, bandpass })
    .filter(([, frequency]) => frequency !== undefined)
    .map(([type, frequency]) => new BiquadFilterNode(context, { type, frequency, Q }));
  if (layer.wander) {
    for (const filter of filters) move(mix, filter.detune, ...layer.wander);
  }
  const swell = new GainNode(context);
  if (layer.swell) {
    const [depth, seconds] = layer.swell;
    swell.gain.value = 1 - depth / 2;
    move(mix, swell.gain, depth / 2, seconds);
  }
  const place = new StereoPannerNode(context, { pan: layer.pan ?? 0 });
  [...filters, swell, place].reduce((from, to) => from.connect(to), first);
  place.connect(mix.output);
  if (layer.room) place.connect(new GainNode(context, { gain: layer.room })).connect(mix.room);
  return first;
}

/**
 * Moments for a voice, each a random step of `every` after the last.
 * @param {Mix} mix
 * @param {Layer} layer
 * @param {Voice} voice
 * @returns {(until: number) => void} sounds everything that is due before a time of the context
 */
function moments(mix, layer, voice) {
  let next = mix.context.currentTime + 0.1 + between(mix.random, [0, layer.every[0] * 0.3]);
  return (until) => {
    while (next < until) {
      voice(next);
      next += between(mix.random, layer.every);
    }
  };
}

/**
 * Builds one layer into the mix.
 * @param {Mix} mix
 * @param {Layer} layer
 * @returns {(until: number) => void} to be called ahead of time, again and again
 * @throws {RangeError} the source is not in the list above
 */
export function addLayer(mix, layer) {
  const into = chain(mix, layer);
  if (layer.source in VOICES) {
    return moments(mix, layer, VOICES[layer.source](mix, layer, into));
  }
  if (layer.source === "drone") {
    drone(mix, layer, into);
  } else if (layer.source in STEADY) {
    STEADY[layer.source](mix, layer).connect(into);
  } else {
    throw new RangeError(`A soundscape has a layer of the unknown source "${layer.source}".`);
  }
  return () => {};
}
