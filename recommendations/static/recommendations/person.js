/**
 * Who is looking, as the page that is shown now says it.
 *
 * Hooks on #main: data-person, an opaque key of whoever is signed in; data-consent, an opaque key of
 * the consent under which listening is stored, empty without one; data-csrf, with the latter. The
 * token is the page's and not the cookie's: after another sign-in in this browser the server refuses
 * what an older page still sends, since it would count for the wrong person.
 */

/**
 * @typedef {object} Person
 * @property {string} key  "" for nobody
 * @property {string} consent  "" when nothing may be stored
 * @property {string} csrf
 */

const NOBODY = { person: "", consent: "", csrf: "" };

/** @returns {Person} */
export function pagePerson() {
  const said = { ...NOBODY, ...document.getElementById("main")?.dataset };
  return { key: said.person, consent: said.consent, csrf: said.csrf };
}

/** The page is older than a withdrawal: from now on it says so too. */
export function endConsent() {
  Object.assign(document.getElementById("main").dataset, { consent: "", csrf: "" });
}

/** The page is older than a sign-out: from now on nobody is looking. */
export function endSession() {
  Object.assign(document.getElementById("main").dataset, NOBODY);
}
