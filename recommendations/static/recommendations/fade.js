/**
 * Fades of equal power: while one sound goes and another comes, together they stay as loud.
 */

const POINTS = 33;

/** A gain that moves along a quarter sine and can be turned round at any moment. */
export class Fader {
  /** @param {BaseAudioContext} context */
  constructor(context) {
    this.node = new GainNode(context, { gain: 0 });
    this.from = 0;
    this.to = 0;
    this.start = 0;
    this.seconds = 1;
  }

  /** Where it is now, 0 … 1 of the way. */
  get way() {
    const part = (this.node.context.currentTime - this.start) / this.seconds;
    return this.from + (this.to - this.from) * Math.min(1, Math.max(0, part));
  }

  /**
   * Begins to move from where it is.
   * @param {0|1} to
   * @param {number} seconds
   */
  fade(to, seconds) {
    const now = this.node.context.currentTime;
    this.from = this.way;
    this.to = to;
    this.start = now;
    this.seconds = seconds;
    const curve = Float32Array.from({ length: POINTS }, (_, at) =>
      Math.sin((Math.PI / 2) * (this.from + ((to - this.from) * at) / (POINTS - 1))));
    this.node.gain.cancelScheduledValues(0);
    this.node.gain.setValueCurveAtTime(curve, now, seconds);
  }
}
