/**
 * Sounds that come now and then: waves, thunder, birds, bowls, horns, drips, the clack of a train.
 * A voice is made once for a layer and is then told each moment at which to sound.
 */

import { noiseLoop } from "./noise.js";
import { between, pitchBetween } from "./random.js";

/** @typedef {(when: number) => void} Voice  sounds once, at a time of the context */

const CURVE_POINTS = 64;
const HILL = Float32Array.from({ length: CURVE_POINTS }, (_, at) =>
  Math.sin((Math.PI * at) / (CURVE_POINTS - 1)) ** 2);
// A struck bowl: each partial's pitch against the lowest, its loudness, and how long it stays.
const BOWL = [[1, 0.5, 1], [2.74, 0.28, 0.62], [5.2, 0.1, 0.34], [8.35, 0.035, 0.16]];

/**
 * A gain that is silent until its voice opens it, at its own place between the ears.
 * @param {Mix} mix
 * @param {AudioNode} into
 * @param {number} pan
 */
function quietGain({ context }, into, pan) {
  const gain = new GainNode(context, { gain: 0 });
  gain.connect(new StereoPannerNode(context, { pan })).connect(into);
  return gain;
}

/**
 * A piece of noise that ends by itself.
 * @param {Mix} mix
 * @param {"white"|"pink"|"brown"} color
 * @param {number} when
 * @param {number} seconds
 */
function noisePiece({ context, random }, color, when, seconds) {
  const buffer = noiseLoop(context, color);
  const piece = new AudioBufferSourceNode(context, { buffer, loop: true });
  piece.start(when, random() * buffer.duration);
  piece.stop(when + seconds);
  return piece;
}

/**
 * Waves and gusts: noise that swells for `rise` seconds and falls back for `fall`, opening its
 * filter from `dull` to `bright` Hz as it comes. `rest` is what is left between two.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function waves(mix, layer, into) {
  const { context, random } = mix;
  const filter = new BiquadFilterNode(context, { type: "lowpass", frequency: layer.dull, Q: 0.3 });
  const gain = new GainNode(context, { gain: layer.rest });
  mix.loop(noiseLoop(context, layer.color)).connect(filter).connect(gain).connect(into);
  return (when) => {
    const height = between(random, [0.6, 1]);
    const rise = layer.rise * between(random, [0.8, 1.2]);
    gain.gain.setTargetAtTime(height, when, rise / 2.5);
    filter.frequency.setTargetAtTime(layer.bright * height, when, rise / 2);
    gain.gain.setTargetAtTime(layer.rest, when + rise, layer.fall / 3);
    filter.frequency.setTargetAtTime(layer.dull, when + rise, layer.fall / 4);
  };
}

/**
 * Thunder far away: rumbles that run into one another for `length` seconds and sink in pitch.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function thunder(mix, layer, into) {
  const { context, random } = mix;
  return (when) => {
    const seconds = between(random, layer.length);
    const humps = Array.from({ length: 4 }, () => [random() ** 1.5, between(random, [0.3, 1])]);
    const curve = Float32Array.from({ length: CURVE_POINTS }, (_, at) => {
      const part = at / (CURVE_POINTS - 1);
      const rumble = humps.reduce((sum, [middle, height]) =>
        sum + height * Math.exp(-(((part - middle) / 0.12) ** 2)), 0.15);
      return rumble * Math.sin(Math.PI * part ** 0.6) * (1 - part) ** 0.5;
    });
    const filter = new BiquadFilterNode(context, { type: "lowpass", Q: 0.2 });
    filter.frequency.setValueAtTime(layer.pitch[1], when);
    filter.frequency.exponentialRampToValueAtTime(layer.pitch[0], when + seconds);
    const gain = quietGain(mix, into, between(random, [-0.5, 0.5]));
    gain.gain.setValueCurveAtTime(curve, when, seconds);
    noisePiece(mix, "brown", when, seconds).connect(filter).connect(gain);
  };
}

/**
 * Birds, frogs: a phrase of `syllables`, each a sine that slides by the factor `sweep`.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function chirps(mix, layer, into) {
  const { context, random } = mix;
  return (when) => {
    const pitch = pitchBetween(random, layer.pitch);
    const syllables = Math.round(between(random, layer.syllables));
    const length = between(random, layer.length);
    const gain = quietGain(mix, into, between(random, [-0.8, 0.8]));
    const tone = new OscillatorNode(context, { frequency: pitch });
    const near = between(random, [0.25, 1]);
    const curve = HILL.map((height) => height * near);
    for (let number = 0; number < syllables; number += 1) {
      const start = when + number * length * (1 + layer.gap);
      const from = pitch * between(random, [0.94, 1.06]);
      tone.frequency.setValueAtTime(from, start);
      tone.frequency.exponentialRampToValueAtTime(from * layer.sweep, start + length);
      gain.gain.setValueCurveAtTime(curve, start, length);
    }
    tone.connect(gain);
    tone.start(when);
    tone.stop(when + syllables * length * (1 + layer.gap));
  };
}

/**
 * Bowls and bells: inharmonic partials in slightly different pairs, so that they beat. `notes` in
 * Hz, `length` seconds until nothing is left, `strike` seconds of attack.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function bowls(mix, layer, into) {
  const { context, random } = mix;
  let number = Math.floor(random() * layer.notes.length);
  return (when) => {
    number += 1 + Math.floor(random() * Math.max(1, layer.notes.length - 1));
    const note = layer.notes[number % layer.notes.length];
    const near = between(random, [0.6, 1]);
    const pan = between(random, [-0.4, 0.4]);
    for (const [ratio, loudness, stay] of BOWL) {
      const gain = quietGain(mix, into, pan);
      const seconds = layer.length * stay;
      gain.gain.setValueAtTime(0, when);
      gain.gain.linearRampToValueAtTime(loudness * near, when + layer.strike);
      gain.gain.setTargetAtTime(0, when + layer.strike, seconds / 7);
      for (const beat of [0, between(random, [0.3, 0.9])]) {
        const tone = new OscillatorNode(context, { frequency: note * ratio + beat });
        tone.connect(gain);
        tone.start(when);
        tone.stop(when + layer.strike + seconds * 1.3);
      }
    }
  };
}

/**
 * A horn, an owl: one or more `notes` in Hz after one another, each `length` seconds.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function horn(mix, layer, into) {
  const { context, random } = mix;
  return (when) => {
    const gain = quietGain(mix, into, between(random, [-0.6, 0.6]));
    const tone = new OscillatorNode(context, { type: "triangle" });
    const length = between(random, layer.length);
    const near = between(random, [0.6, 1]);
    layer.notes.forEach((note, number) => {
      const start = when + number * length * 1.15;
      tone.frequency.setValueAtTime(note, start);
      gain.gain.setValueCurveAtTime(HILL.map((height) => near * height ** 0.5), start, length);
    });
    tone.connect(gain);
    tone.start(when);
    tone.stop(when + layer.notes.length * length * 1.15);
  };
}

/**
 * A drip into still water: a short tone that rises by the factor `sweep`.
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function drips(mix, layer, into) {
  const { context, random } = mix;
  return (when) => {
    const pitch = pitchBetween(random, layer.pitch);
    const gain = quietGain(mix, into, between(random, [-0.7, 0.7]));
    const tone = new OscillatorNode(context, { frequency: pitch });
    tone.frequency.setValueAtTime(pitch, when);
    tone.frequency.exponentialRampToValueAtTime(pitch * layer.sweep, when + 0.07);
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(between(random, [0.2, 1]), when + 0.004);
    gain.gain.setTargetAtTime(0, when + 0.004, 0.045);
    tone.connect(gain);
    tone.start(when);
    tone.stop(when + 0.5);
  };
}

/**
 * Wheels over a rail joint: a thump and a tick at each moment of `beats` (seconds).
 * @param {Mix} mix @param {Layer} layer @param {AudioNode} into
 * @returns {Voice}
 */
function clack(mix, layer, into) {
  const { context, random } = mix;
  return (when) => {
    for (const beat of layer.beats) {
      const start = when + beat + between(random, [0, 0.012]);
      const gain = quietGain(mix, into, between(random, [-0.15, 0.15]));
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(between(random, [0.7, 1]), start + 0.006);
      gain.gain.setTargetAtTime(0, start + 0.006, 0.035);
      const tone = new OscillatorNode(context, { frequency: layer.pitch[0] });
      tone.frequency.setValueAtTime(layer.pitch[0], start);
      tone.frequency.exponentialRampToValueAtTime(layer.pitch[0] * 0.6, start + 0.12);
      tone.connect(gain);
      tone.start(start);
      tone.stop(start + 0.4);
      const tick = new BiquadFilterNode(context, {
        type: "bandpass", frequency: layer.pitch[1], Q: 1.5,
      });
      noisePiece(mix, "pink", start, 0.4).connect(tick).connect(gain);
    }
  };
}

/** @type {Record<string, (mix: Mix, layer: Layer, into: AudioNode) => Voice>} */
export const VOICES = { waves, thunder, chirps, bowls, horn, drips, clack };
