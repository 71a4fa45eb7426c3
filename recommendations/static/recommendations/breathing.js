/**
 * Breathing at a pace: where in the breath a position is, and the soft tones for closed eyes.
 */

/** @typedef {{pattern: Phase[], rounds: number}} Breathing */

/**
 * @typedef {object} Breath
 * @property {"in"|"hold"|"out"|"rest"} phase
 * @property {number} left  whole seconds until the next phase
 * @property {number} round  from 1
 * @property {number} fullness  0 empty … 1 full
 */

const AHEAD_SECONDS = 8;
const PLAN_EVERY_MILLISECONDS = 1000;
// A fifth down from the breath in to the breath out; the still phases are only hinted at.
const TONES = { in: [392, 0.16], hold: [329.6, 0.06], out: [261.6, 0.16], rest: [220, 0.05] };

/** @param {Phase[]} pattern @param {string} phase */
function total(pattern, phase) {
  return pattern.reduce((sum, [name, seconds]) => sum + (name === phase ? seconds : 0), 0);
}

/** @param {Phase[]} pattern */
function cycle(pattern) {
  return pattern.reduce((sum, [, seconds]) => sum + seconds, 0);
}

/**
 * How full the lungs are when a phase of the pattern begins: two breaths in on top of one another
 * share the way up by their length.
 * @param {Phase[]} pattern
 * @param {number} index
 */
function fullnessBefore(pattern, index) {
  const before = pattern.slice(0, index);
  const breathedIn = total(before, "in") / total(pattern, "in");
  return breathedIn - total(before, "out") / total(pattern, "out");
}

/**
 * @param {Breathing} breathing
 * @param {number} position  seconds
 * @returns {Breath}
 */
export function breathAt({ pattern, rounds }, position) {
  const length = cycle(pattern);
  const last = rounds * length - 0.001;
  const inside = Math.min(Math.max(0, position), last);
  let rest = inside % length;
  let index = 0;
  while (index < pattern.length - 1 && rest >= pattern[index][1]) {
    rest -= pattern[index][1];
    index += 1;
  }
  const [phase, seconds] = pattern[index];
  const from = fullnessBefore(pattern, index);
  const to = fullnessBefore(pattern, index + 1);
  return {
    phase,
    left: Math.max(1, Math.ceil(seconds - rest)),
    round: Math.floor(inside / length) + 1,
    fullness: from + ((to - from) * (1 - Math.cos((Math.PI * rest) / seconds))) / 2,
  };
}

/** Tones at the start of each phase, planned ahead of the clock. */
export class BreathTones {
  /**
   * @param {BaseAudioContext} context
   * @param {AudioNode} into
   * @param {Breathing} breathing
   */
  constructor(context, into, breathing) {
    this.context = context;
    this.into = into;
    this.breathing = breathing;
    /** @type {GainNode|null} */
    this.gate = null;
    this.timer = 0;
  }

  /** @param {number} position  seconds into the practice that is reached now */
  start(position) {
    this.stop();
    this.gate = new GainNode(this.context);
    this.gate.connect(this.into);
    const zero = this.context.currentTime - position;
    const moments = phaseStarts(this.breathing, position);
    let next = moments.next();
    const plan = () => {
      while (!next.done && zero + next.value.at < this.context.currentTime + AHEAD_SECONDS) {
        this.sound(next.value.phase, zero + next.value.at);
        next = moments.next();
      }
    };
    plan();
    this.timer = setInterval(plan, PLAN_EVERY_MILLISECONDS);
  }

  stop() {
    clearInterval(this.timer);
    this.gate?.disconnect();
    this.gate = null;
  }

  /** @param {keyof typeof TONES} phase @param {number} when */
  sound(phase, when) {
    const [frequency, loudness] = TONES[phase];
    const tone = new OscillatorNode(this.context, { frequency });
    const gain = new GainNode(this.context, { gain: 0 });
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(loudness, when + 0.09);
    gain.gain.setTargetAtTime(0, when + 0.09, 0.5);
    tone.connect(gain).connect(this.gate);
    tone.start(when);
    tone.stop(when + 4);
  }
}

/**
 * @param {Breathing} breathing
 * @param {number} from  seconds; phases that began before are left out
 * @returns {Generator<{phase: keyof typeof TONES, at: number}>}
 */
function* phaseStarts({ pattern, rounds }, from) {
  let at = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const [phase, seconds] of pattern) {
      if (at >= from) yield { phase, at };
      at += seconds;
    }
  }
}
