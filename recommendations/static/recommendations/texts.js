/**
 * What the scripts say, in the language of the page: script_texts.html has every text.
 */

/**
 * @param {string} name  of a data attribute of #script-texts, in camel case
 * @param {Record<string, string|number>} [values]  for the {places} in it
 */
export function text(name, values = {}) {
  const template = document.getElementById("script-texts").dataset[name];
  return template.replace(/{(\w+)}/g, (_, place) => String(values[place]));
}
