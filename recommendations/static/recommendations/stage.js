/**
 * The stage: the player on a practice's own page.
 *
 * Hooks inside [data-player-stage], which gets data-player-state="idle|playing|paused|finished":
 *   [data-player-toggle] with [data-player-toggle-label]; [data-player-skip="±seconds"]
 *   input[data-player-seek], [data-player-elapsed], [data-player-remaining]
 *   select[data-player-timer] (end, off, or minutes), [data-player-timer-left]
 *   input[data-player-volume] (0-100), [data-player-mute] (aria-pressed)
 *   input[data-player-voice] in [data-player-voice-row] with [data-player-voice-label]: reading
 *   aloud, or tones for breathing; input[data-player-announce] in [data-player-announce-row]: lines
 *   to the screen reader, which also ends the reading aloud
 *   [data-player-lines] with [data-player-line="previous|current|next"]
 *   [data-player-breath] with -word, -count, -round: gets --breath (0 empty … 1 full) and
 *   data-breath-phase
 *   [data-player-resume] with [data-player-resume-from] and [data-player-from-start]
 *   form[data-player-rating]: shown at the end; listening.js takes the answer
 *   [data-player-message] role=status
 */

import { breathAt } from "./breathing.js";
import { readPosition } from "./device.js";
import { clockTime, lineAt, pagePractice, spokenTime } from "./practice.js";
import { text } from "./texts.js";
import { canSpeak, onVoices } from "./voice.js";

const WORTH_RESUMING_SECONDS = 15;
const NEARLY_OVER = 0.95;
const CALM_FRAME_MILLISECONDS = 250;
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");

/**
 * What a press on the stage does.
 * @type {Record<string, (player: Player, practice: Practice, pressed: HTMLElement) => void>}
 */
const PRESSES = {
  toggle: (player, practice) => player.toggle(practice),
  skip: (player, practice, pressed) => {
    if (isOn(player, practice)) player.seek(player.position + Number(pressed.dataset.playerSkip));
  },
  mute: (player) => player.set({ muted: !player.settings.muted }),
  resumeFrom: (player, practice, pressed) => player.play(practice, Number(pressed.dataset.seconds)),
  fromStart: (player, practice) => player.play(practice, 0),
};

/** What a changed control does. */
const CHANGES = {
  seek: (player, practice, control) => {
    if (isOn(player, practice)) player.seek(control.valueAsNumber);
  },
  volume: (player, practice, control) =>
    player.set({ volume: control.valueAsNumber / 100, muted: false }),
  timer: (player, practice, { value }) =>
    player.setTimer(value === "end" || value === "off" ? value : Number(value)),
  voice: (player, practice, control) => player.set({ voice: control.checked }),
  announce: (player, practice, control) => player.set({ announce: control.checked }),
};

/** @param {string} name  toggle, resumeFrom, … */
function hook(name) {
  const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `[data-player-${dashed}]`;
}

/** @returns {HTMLElement|null} */
function stage() {
  return document.querySelector("[data-player-stage]");
}

/** @param {string} name @returns {HTMLElement|null} */
function find(name) {
  return stage()?.querySelector(hook(name)) ?? null;
}

/** @param {Element|null} element @param {string} words */
function setText(element, words) {
  if (element && element.textContent !== words) element.textContent = words;
}

/** @param {Player} player @param {Practice} practice */
function isOn(player, practice) {
  return player.practice?.slug === practice.slug;
}

/** @param {Player} player */
export function bindStage(player) {
  listen("click", PRESSES, player);
  listen("input", CHANGES, player);
  const draw = () => drawStage(player);
  for (const name of ["start", "time", "pause", "left", "change"]) {
    document.addEventListener(`player:${name}`, draw);
  }
  document.addEventListener("player:start", () => {
    show("resume", false);
    breathe(player);
  });
  document.addEventListener("player:finished", ({ detail }) => {
    if (detail.practice.slug === pagePractice()?.slug) show("rating", true);
  });
  onVoices(draw);
  const enter = () => enterPage(player);
  document.addEventListener("htmx:afterSettle", enter);
  document.addEventListener("htmx:historyRestore", enter);
  enter();
}

/**
 * One listener for the whole visit, since the stage itself comes and goes with its page.
 * @param {"click"|"input"} event
 * @param {Record<string, (player: Player, practice: Practice, element: HTMLElement) => void>} acts
 * @param {Player} player
 */
function listen(event, acts, player) {
  document.addEventListener(event, ({ target }) => {
    const practice = pagePractice();
    if (!practice || !target.closest("[data-player-stage]")) return;
    for (const [name, act] of Object.entries(acts)) {
      const element = target.closest(hook(name));
      if (element) act(player, practice, element);
    }
  });
}

/** @param {string} name @param {boolean} isShown */
function show(name, isShown) {
  const element = find(name);
  if (element) element.hidden = !isShown;
}

/**
 * A practice's page has come: draw it, and offer to go on where the person was.
 * @param {Player} player
 */
async function enterPage(player) {
  const practice = pagePractice();
  if (!practice || !stage()) return;
  drawStage(player);
  breathe(player);
  if (isOn(player, practice) || practice.kind === "soundscape") return;
  const position = practice.resume || (await readPosition(practice.slug));
  const isWorthIt = position > WORTH_RESUMING_SECONDS && position < practice.seconds * NEARLY_OVER;
  if (!isWorthIt || pagePractice()?.slug !== practice.slug || isOn(player, practice)) return;
  const button = find("resumeFrom");
  if (!button) return;
  button.dataset.seconds = String(position);
  setText(button, text("continueFrom", { time: clockTime(position) }));
  show("resume", true);
}

/** @param {Player} player */
function drawStage(player) {
  const practice = pagePractice();
  if (!practice || !stage()) return;
  const isHere = isOn(player, practice);
  const position = isHere ? player.position : 0;
  stage().dataset.playerState = isHere ? player.state : "idle";
  setText(find("toggleLabel"), isHere && player.isPlaying ? text("pause") : text("play"));
  setText(find("message"), player.message);
  drawTime(player, practice, position);
  drawSettings(player, practice);
  if (practice.content.lines) drawLines(practice.content.lines, position);
  if (practice.content.pattern) drawBreath(practice, position);
}

/** @param {Player} player @param {Practice} practice @param {number} position */
function drawTime(player, practice, position) {
  setText(find("elapsed"), clockTime(position));
  const isEndless = player.timer === "off" && position >= practice.seconds;
  const left = `−${clockTime(practice.seconds - position)}`;
  setText(find("remaining"), isEndless ? text("noEnd") : left);
  const seek = find("seek");
  if (seek) {
    seek.max = String(practice.seconds);
    seek.value = String(Math.floor(position));
    seek.disabled = !isOn(player, practice);
    const [now, length] = [spokenTime(position), spokenTime(practice.seconds)];
    seek.setAttribute("aria-valuetext", text("spokenPosition", { position: now, length }));
  }
  const minutes = Math.ceil(player.timerLeft / 60);
  setText(find("timerLeft"), Number.isFinite(minutes) ? text("stopsIn", { minutes }) : "");
}

/** @param {Player} player @param {Practice} practice */
function drawSettings(player, { content, audio }) {
  const { volume, muted, voice, announce } = player.settings;
  const [timer, slider, mute] = [find("timer"), find("volume"), find("mute")];
  const [voiceSwitch, announceSwitch] = [find("voice"), find("announce")];
  if (timer) timer.value = String(player.timer);
  if (slider) slider.value = String(Math.round(volume * 100));
  mute?.setAttribute("aria-pressed", String(muted));
  if (voiceSwitch) {
    voiceSwitch.checked = voice && !(announce && content.lines);
    voiceSwitch.disabled = announce && Boolean(content.lines);
  }
  if (announceSwitch) announceSwitch.checked = announce;
  show("voiceRow", Boolean(content.pattern) || (Boolean(content.lines) && !audio && canSpeak()));
  show("announceRow", Boolean(content.lines));
  setText(find("voiceLabel"), text(content.pattern ? "softTones" : "readAloud"));
  find("lines")?.setAttribute("aria-live", announce ? "polite" : "off");
}

/** @param {Line[]} lines @param {number} position */
function drawLines(lines, position) {
  const number = lineAt(lines, position);
  const places = { previous: number - 1, current: number, next: number + 1 };
  for (const [place, index] of Object.entries(places)) {
    setText(stage().querySelector(`[data-player-line="${place}"]`), lines[index]?.text ?? "");
  }
}

/** @param {Practice} practice @param {number} position */
function drawBreath({ content }, position) {
  const box = find("breath");
  if (!box) return;
  const breath = breathAt(content, position);
  const state = stage().dataset.playerState;
  const isGoing = state === "playing" || state === "paused";
  box.dataset.breathPhase = breath.phase;
  box.style.setProperty("--breath", breath.fullness.toFixed(4));
  const waiting = state === "finished" ? "done" : "ready";
  setText(find("breathWord"), text(isGoing ? breath.phase : waiting));
  setText(find("breathCount"), isGoing ? String(breath.left) : "");
  setText(find("breathRound"), text("round", { round: breath.round, rounds: content.rounds }));
}

let frames = 0;

/**
 * Draws the breath at every frame while it is played; with reduced motion a few times a second,
 * which is enough for a fade.
 * @param {Player} player
 */
function breathe(player) {
  cancelAnimationFrame(frames);
  let last = 0;
  const frame = (/** @type {number} */ now) => {
    const practice = pagePractice();
    if (!practice?.content.pattern || !isOn(player, practice) || !player.isPlaying) return;
    if (!CALM.matches || now - last >= CALM_FRAME_MILLISECONDS) {
      last = now;
      drawBreath(practice, player.positionNow);
    }
    frames = requestAnimationFrame(frame);
  };
  frames = requestAnimationFrame(frame);
}
