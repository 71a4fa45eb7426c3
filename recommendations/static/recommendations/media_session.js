/**
 * Media keys, headphones and lock screen.
 */

const STEP_SECONDS = 15;

/** @param {Player} player */
export function bindMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session) return;
  const handlers = {
    play: () => player.play(),
    pause: () => player.pause(),
    stop: () => player.stop(),
    seekbackward: ({ seekOffset = STEP_SECONDS }) => player.seek(player.position - seekOffset),
    seekforward: ({ seekOffset = STEP_SECONDS }) => player.seek(player.position + seekOffset),
    seekto: ({ seekTime }) => player.seek(seekTime),
  };
  for (const [action, handler] of Object.entries(handlers)) {
    try {
      session.setActionHandler(action, handler);
    } catch {
      // This browser does not know the action.
    }
  }
  for (const event of ["player:start", "player:pause", "player:left", "player:change"]) {
    document.addEventListener(event, () => describe(player, session));
  }
}

/** @param {Player} player @param {MediaSession} session */
function describe(player, session) {
  const { practice, position, isPlaying } = player;
  if (!practice) {
    session.metadata = null;
    session.playbackState = "none";
    return;
  }
  session.metadata = new MediaMetadata({ title: practice.title, artist: practice.kindLabel });
  session.playbackState = isPlaying ? "playing" : "paused";
  session.setPositionState?.({ duration: practice.seconds, position, playbackRate: 1 });
}
