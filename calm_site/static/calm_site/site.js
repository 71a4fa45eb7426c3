/* The frame after a change of page: where the focus goes, which link is current, the shelf arrows,
   and the switch between light and dark ground. */

const root = document.documentElement;

/** Mark the link of the section that is open. */
function markCurrent() {
  for (const link of document.querySelectorAll("[data-nav] a")) {
    const { pathname } = new URL(link.href);
    const isHere = location.pathname === pathname;
    const isInside = pathname !== "/" && location.pathname.startsWith(pathname);
    if (isHere) link.setAttribute("aria-current", "page");
    else if (isInside) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function switchGround() {
  root.dataset.ground = root.dataset.ground === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("ground", root.dataset.ground);
  } catch {
    // storage is blocked: the choice lasts until the next page load
  }
}

/** A shelf has arrows only where there is something to scroll to. */
function prepareShelves() {
  for (const shelf of document.querySelectorAll("[data-shelf]")) {
    const row = shelf.querySelector("[data-shelf-row]");
    shelf.toggleAttribute("data-scrolls", row.scrollWidth > row.clientWidth);
  }
}

/** @param {Element} shelf @param {number} direction −1 or 1 */
function scrollShelf(shelf, direction) {
  const row = shelf.querySelector("[data-shelf-row]");
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const left = direction * row.clientWidth * 0.8;
  row.scrollBy({ left, behavior: isStill ? "instant" : "smooth" });
}

/** Left and right walk along the cards of a shelf. */
function walkShelf(event) {
  const row = event.target.closest("[data-shelf-row]");
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!row || !direction) return;
  const links = [...row.querySelectorAll("[data-card-link]")];
  const here = links.indexOf(event.target.closest("li")?.querySelector("[data-card-link]"));
  const next = links[here + direction];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

let isBeginning = false;

/** A press on "Play …" of the first page plays on the page it leads to. */
function beginIfAsked() {
  if (isBeginning) document.querySelector("[data-player-toggle]")?.click();
  isBeginning = false;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("a")) isBeginning = Boolean(event.target.closest("[data-begin]"));
  if (event.target.closest("[data-ground-switch]")) switchGround();
  const arrow = event.target.closest("[data-shelf-arrow]");
  if (arrow) scrollShelf(arrow.closest("[data-shelf]"), Number(arrow.dataset.shelfArrow));
});
document.addEventListener("keydown", walkShelf);

/** What now stands where a button was. @param {Element} pressed */
function follower(pressed) {
  const cell = pressed.closest("[data-cell]")?.dataset.cell;
  if (cell) return document.querySelector(`[data-cell="${cell}"] :is(a.switch, button:enabled)`);
  if (pressed.closest(".dial")) return document.querySelector(".dial-now[tabindex]");
  return pressed.closest(".banner") && document.querySelector(".banner summary");
}

// htmx scrolls to an anchor, and then to the top if told so.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.pathInfo.anchor) detail.swapOverride = "outerHTML show:none";
});
document.addEventListener("htmx:afterSettle", (event) => {
  const main = document.getElementById("main");
  const isNewPage = event.detail.requestConfig?.verb === "get" && event.detail.target?.id === "main";
  const isFocusLost = document.activeElement === document.body;
  if (main && (isNewPage || isFocusLost)) {
    main.focus({ preventScroll: !isNewPage });
    let next = null;
    if (isNewPage) next = document.getElementById(event.detail.pathInfo.anchor);
    else if (event.detail.requestConfig?.verb === "post") next = follower(event.detail.requestConfig.elt);
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }
  markCurrent();
  prepareShelves();
  if (isNewPage) beginIfAsked();
});
document.addEventListener("htmx:historyRestore", () => {
  markCurrent();
  prepareShelves();
});
addEventListener("resize", prepareShelves);

markCurrent();
prepareShelves();
