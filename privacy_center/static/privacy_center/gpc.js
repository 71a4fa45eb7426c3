/**
 * Global Privacy Control where a browser tells scripts only: a cookie says so to the server, as the
 * header would, for as long as the browser does. The page that noticed is then read anew, so that it
 * shows what the signal did.
 *
 * Hook on #main: data-gpc, when the server has heard the signal.
 */

const COOKIE = "gpc=signal";
const YEAR_SECONDS = 365 * 24 * 60 * 60;

const has = () => document.cookie.split("; ").includes(COOKIE);

/** @param {number} seconds  until the cookie ends */
function write(seconds) {
  const secure = location.protocol === "https:" ? ";Secure" : "";
  document.cookie = `${COOKIE};Path=/;SameSite=Lax;Max-Age=${seconds}${secure}`;
}

function readAnew() {
  const { htmx } = window;
  if (!htmx) return;
  htmx.ajax("GET", location.pathname + location.search, {
    source: document.body,
    target: "#main",
    select: "#main",
    swap: "outerHTML show:none",
  });
}

const isHeard = "gpc" in document.getElementById("main").dataset;
if (navigator.globalPrivacyControl === true && !isHeard) {
  write(YEAR_SECONDS);
  // A browser that keeps no cookies would be asked for ever.
  if (has()) readAnew();
} else if (!navigator.globalPrivacyControl && has()) {
  write(0);
}
