/**
 * The player: one for the whole visit. It lives outside the part of the page that is swapped, so
 * that the sound goes on while people look around. Sound begins only on a press.
 *
 * Markup hooks, all optional except the first two:
 *   #practice-data (JSON, practice.js) and [data-player-stage] inside #main: the practice's page,
 *   see stage.js for every hook of the stage; #player outside #main: the bar, see bar.js.
 *   audio[data-player-keepalive] in the bar: silence in a loop. Browsers give media keys, a lock
 *   screen and life in the background to pages with a playing media element, not to Web Audio.
 *   What that buys: Chrome and Firefox play on with the screen off; Safari from iOS 17 on, through
 *   navigator.audioSession; older Safari stops with the screen whatever a page does.
 *
 * Events on document, each with detail {practice, listen, position, heard, state}:
 *   player:start, player:time (about four times a second while it plays), player:pause,
 *   player:finished (once a listen, at 90 %), player:left (another practice, or stopped),
 *   player:change (anything a view shows).
 * Type names in comments are those of the module of the noun: Practice in practice.js, and so on.
 * `listen` is {id, startedAt}: one listen lasts from the first press until another practice is
 * started, the bar is closed, or the same practice is begun again after its end.
 */

import { bindBar } from "./bar.js";
import { Channel } from "./channel.js";
import { bindKeys } from "./keys.js";
import { bindMediaSession } from "./media_session.js";
import { lineAt } from "./practice.js";
import { readSettings, writeSettings } from "./settings.js";
import { limiter } from "./sound.js";
import { bindStage } from "./stage.js";
import { text } from "./texts.js";
import { hush, speak } from "./voice.js";

/** @typedef {"idle"|"playing"|"paused"|"finished"} State */
/** @typedef {"end"|"off"|number} Timer  at the end, when stopped, or after minutes */

const FADE_SECONDS = 2;
const ENDING_SECONDS = 8; // nobody should be woken by the silence
const TICK_MILLISECONDS = 250;
const FINISHED_AT = 0.9;
const VOLUME_EASE_SECONDS = 0.05;

/** A random UUID; crypto.randomUUID is missing on pages without TLS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Player {
  constructor() {
    this.settings = readSettings();
    /** @type {Practice|null} */
    this.practice = null;
    /** @type {State} */
    this.state = "idle";
    /** @type {{id: string, startedAt: Date}|null} */
    this.listen = null;
    this.position = 0;
    this.heard = 0;
    this.isFinished = false;
    this.message = "";
    /** @type {Timer} */
    this.timer = "end";
    this.timerLeft = Infinity;
    this.line = -1;
    /** @type {Channel|null} */
    this.channel = null;
    /** @type {AudioContext|null} */
    this.context = null;
    /** @type {GainNode|null} */
    this.volume = null;
    this.lastTick = 0;
    this.ticking = 0;
    this.sleep = 0;
  }

  get isPlaying() {
    return this.state === "playing";
  }

  /** The position between two ticks, for what moves smoothly. */
  get positionNow() {
    return this.position + (this.isPlaying ? this.context.currentTime - this.lastTick : 0);
  }

  /** Whether the practice is at its end and nothing is to follow it. */
  get isOver() {
    return this.timer === "end" && this.position >= (this.practice?.seconds ?? Infinity);
  }

  /**
   * Plays a practice, or goes on with the one it has. Must come from a press.
   * @param {Practice} [practice]
   * @param {number} [position]  seconds; where it was, or the start
   */
  play(practice = this.practice, position) {
    if (!practice || !this.wake()) return;
    const isAnother = practice.slug !== this.practice?.slug;
    if (isAnother) this.leave();
    if (isAnother || this.state === "finished" || this.isOver) this.begin(practice);
    if (position !== undefined) this.position = position;
    this.goBackToLine();
    this.channel?.close(FADE_SECONDS);
    this.openChannel();
    this.state = "playing";
    this.message = "";
    this.lastTick = this.context.currentTime;
    clearInterval(this.ticking);
    this.ticking = setInterval(() => this.tick(), TICK_MILLISECONDS);
    this.keepAlive(true);
    this.tell("start");
  }

  /** @param {number} [seconds]  how long the sound takes to go */
  pause(seconds = FADE_SECONDS) {
    if (!this.isPlaying) return;
    this.measure();
    this.rest("paused", seconds);
    this.tell("pause");
  }

  /** @param {Practice|null} [practice] */
  toggle(practice = this.practice) {
    const isThis = practice?.slug === this.practice?.slug;
    if (this.isPlaying && isThis) this.pause();
    else this.play(practice ?? undefined);
  }

  /** Stops and puts the practice away. */
  stop() {
    this.leave();
    this.practice = null;
    this.state = "idle";
    this.tell("change");
  }

  /** @param {number} position  seconds */
  seek(position) {
    if (!this.practice) return;
    if (this.isPlaying) this.measure();
    this.position = Math.min(Math.max(0, position), this.practice.seconds);
    if (this.state === "finished") this.state = "paused";
    hush();
    this.line = -1;
    this.channel?.seek(this.position, this.settings.voice);
    this.tell("change");
  }

  /** @param {Timer} timer */
  setTimer(timer) {
    this.timer = timer;
    this.timerLeft = typeof timer === "number" ? timer * 60 : Infinity;
    this.tell("change");
  }

  /** @param {Partial<Settings>} changes */
  set(changes) {
    Object.assign(this.settings, changes);
    writeSettings(this.settings);
    this.applyVolume();
    if ("voice" in changes) {
      hush();
      this.channel?.setTones(this.settings.voice && this.isPlaying, this.position);
    }
    this.tell("change");
  }

  // The rest is how it works inside.

  /** @param {Practice} practice */
  begin(practice) {
    this.practice = practice;
    this.listen = { id: newId(), startedAt: new Date() };
    this.position = 0;
    this.heard = 0;
    this.isFinished = false;
  }

  /** Ends the current listen, if there is one. */
  leave() {
    if (!this.practice) return;
    if (this.isPlaying) this.measure();
    this.rest("paused", FADE_SECONDS);
    this.tell("left");
  }

  /** @param {State} state @param {number} seconds */
  rest(state, seconds) {
    this.state = state;
    clearInterval(this.ticking);
    hush();
    this.channel?.close(seconds);
    this.channel = null;
    this.keepAlive(false);
    // An earlier sleep would cut this fade off.
    clearTimeout(this.sleep);
    this.sleep = setTimeout(() => {
      if (!this.isPlaying) this.context?.suspend();
    }, (seconds + 1) * 1000);
  }

  /**
   * Makes the audio graph at the first press and wakes it at each.
   * @returns {boolean} whether there can be sound
   */
  wake() {
    if (!("AudioContext" in window)) {
      this.message = text("noSound");
      this.tell("change");
      return false;
    }
    if (!this.context) {
      if (navigator.audioSession) navigator.audioSession.type = "playback";
      this.context = new AudioContext({ latencyHint: "playback" });
      this.volume = new GainNode(this.context, { gain: 0 });
      const limited = limiter(this.context);
      this.volume.connect(limited.input);
      limited.output.connect(this.context.destination);
      this.applyVolume();
    }
    this.context.resume();
    return true;
  }

  openChannel() {
    const channel = new Channel(this.context, this.volume, this.practice);
    this.channel = channel;
    // Making noise takes a moment; the button must answer before it.
    setTimeout(() => {
      if (this.channel !== channel) return;
      channel.open({
        position: this.position,
        tones: this.settings.voice,
        seconds: FADE_SECONDS,
        onTrouble: () => this.trouble(channel),
      });
    });
  }

  /** @param {Channel} channel */
  trouble(channel) {
    if (this.channel !== channel) return;
    this.message = text("recordingLost");
    this.pause(0.1);
  }

  /** Loudness is heard as a ratio, so the slider's middle must be well under half the amplitude. */
  applyVolume() {
    if (!this.context) return;
    const { volume, muted } = this.settings;
    const now = this.context.currentTime;
    this.volume.gain.setTargetAtTime(muted ? 0 : volume ** 2, now, VOLUME_EASE_SECONDS);
  }

  /** @param {boolean} on */
  keepAlive(on) {
    const silence = document.querySelector("audio[data-player-keepalive]");
    if (!silence) return;
    if (!on) {
      silence.pause();
      return;
    }
    silence.onpause = () => {
      // A call, another app, headphones pulled out; or our own pause, told late, after a new play.
      if (silence.paused) this.pause();
    };
    silence.play().catch(() => {}); // without it everything works but the media keys
  }

  /** A sentence that was cut off is begun again. */
  goBackToLine() {
    const lines = this.practice.content.lines ?? [];
    const line = lines[lineAt(lines, this.position)];
    if (line && this.position < line.at + line.seconds) this.position = line.at;
    this.line = -1;
  }

  /** Counts the time since the last count. */
  measure() {
    const now = this.context.currentTime;
    const passed = Math.max(0, now - this.lastTick);
    this.lastTick = now;
    this.timerLeft -= passed;
    const reached = this.reachedAfter(passed);
    // A recording that waits for the network is not being heard.
    this.heard += Math.min(passed, Math.max(0, reached - this.position));
    this.position = Math.min(reached, this.practice.seconds);
  }

  /** @param {number} passed  seconds since the last count */
  reachedAfter(passed) {
    const recording = this.channel?.recording;
    if (!recording) return this.position + passed;
    // It may be shorter than its practice says.
    return recording.ended ? this.practice.seconds : recording.currentTime;
  }

  tick() {
    this.measure();
    this.readLine();
    this.tell("time");
    const { seconds } = this.practice;
    if (!this.isFinished && this.position >= seconds * FINISHED_AT) {
      this.isFinished = true;
      this.tell("finished");
    }
    if (this.timerLeft <= 0) {
      this.setTimer("end");
      this.pause(ENDING_SECONDS);
    } else if (this.isOver) {
      this.rest("finished", ENDING_SECONDS);
      this.tell("pause");
    }
  }

  readLine() {
    const { content, voice, audio } = this.practice;
    const number = lineAt(content.lines ?? [], this.position);
    if (number === this.line) return;
    this.line = number;
    if (number < 0 || audio || !this.settings.voice || this.settings.announce) return;
    const { volume, muted } = this.settings;
    speak(content.lines[number].text, { manner: voice, volume: muted ? 0 : volume });
  }

  /** @param {"start"|"time"|"pause"|"finished"|"left"|"change"} name */
  tell(name) {
    const { practice, listen, position, heard, state } = this;
    const detail = { practice, listen, position, heard, state };
    document.dispatchEvent(new CustomEvent(`player:${name}`, { detail }));
  }
}

const player = new Player();
bindStage(player);
bindBar(player);
bindKeys(player);
bindMediaSession(player);
window.addEventListener("pagehide", () => player.pause());
document.addEventListener("submit", (event) => {
  // Not htmx's: the page goes, with a sign-out even the session. Reports must be on their way first.
  if (!event.defaultPrevented) player.pause();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && player.isPlaying) player.context.resume();
});
