/**
 * All that sounds for one practice: its soundscape, its recording, its tones, behind one fader.
 */

import { BreathTones } from "./breathing.js";
import { Fader } from "./fade.js";
import { createSoundscape } from "./sound.js";

const UNDER_WORDS = 0.45; // the soundscape's loudness while somebody reads or counts over it
const AFTER_FADE_MILLISECONDS = 250;

export class Channel {
  /**
   * @param {AudioContext} context
   * @param {AudioNode} into
   * @param {Practice} practice
   */
  constructor(context, into, practice) {
    this.context = context;
    this.practice = practice;
    this.fader = new Fader(context);
    this.fader.node.connect(into);
    /** @type {Soundscape|null} */
    this.soundscape = null;
    /** @type {HTMLAudioElement|null} */
    this.recording = null;
    /** @type {BreathTones|null} */
    this.tones = null;
  }

  /**
   * Builds the sound and lets it come.
   * @param {{position: number, tones: boolean, seconds: number, onTrouble: () => void}} options
   */
  open({ position, tones, seconds, onTrouble }) {
    const { content, soundscape, audio, slug } = this.practice;
    const layers = audio ? soundscape?.layers : content.layers ?? soundscape?.layers;
    if (layers?.length) {
      const loudness = content.layers ? 1 : UNDER_WORDS;
      this.soundscape = createSoundscape(this.context, { layers }, { seed: slug });
      this.soundscape.output
        .connect(new GainNode(this.context, { gain: loudness }))
        .connect(this.fader.node);
    }
    if (audio) this.openRecording(audio, position, onTrouble);
    if (content.pattern) {
      this.tones = new BreathTones(this.context, this.fader.node, content);
      this.setTones(tones, position);
    }
    this.fader.fade(1, seconds);
  }

  /** @param {string} audio @param {number} position @param {() => void} onTrouble */
  openRecording(audio, position, onTrouble) {
    this.recording = new Audio(audio);
    this.recording.currentTime = position;
    this.recording.addEventListener("error", onTrouble);
    this.context.createMediaElementSource(this.recording).connect(this.fader.node);
    this.recording.play().catch(onTrouble);
  }

  /** @param {boolean} on @param {number} position */
  setTones(on, position) {
    if (on) this.tones?.start(position);
    else this.tones?.stop();
  }

  /** @param {number} position @param {boolean} tones */
  seek(position, tones) {
    if (this.recording) this.recording.currentTime = position;
    this.setTones(tones, position);
  }

  /**
   * Lets the sound go and then takes it down for good.
   * @param {number} seconds
   */
  close(seconds) {
    this.fader.fade(0, seconds);
    setTimeout(() => {
      this.soundscape?.stop();
      this.tones?.stop();
      this.recording?.pause();
      this.fader.node.disconnect();
    }, seconds * 1000 + AFTER_FADE_MILLISECONDS);
  }
}
