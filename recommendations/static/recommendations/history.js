/**
 * Keeps the place of whoever goes through their history by keyboard: after a listen was deleted or
 * changed, the focus is on the same button of the listen that stands there now.
 *
 * Hooks: [data-history-acts] around the buttons of each listen.
 */

const ACTS = "[data-history-acts]";
/** @type {{listen: number, button: number}|null} */
let place = null;

/** @param {MouseEvent} event */
function notePlace({ target }) {
  const button = target.closest(`${ACTS} button`);
  const acts = button?.closest(ACTS);
  place = acts && {
    listen: [...document.querySelectorAll(ACTS)].indexOf(acts),
    button: [...acts.children].indexOf(button),
  };
}

function returnToPlace() {
  const left = document.querySelectorAll(ACTS);
  const acts = place && left[Math.min(place.listen, left.length - 1)];
  acts?.children[place.button]?.focus({ preventScroll: true });
  place = null;
}

document.addEventListener("click", notePlace);
document.addEventListener("htmx:afterSettle", returnToPlace);
