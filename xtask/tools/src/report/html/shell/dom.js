// Elements made from data, and the report that the page was given. Text only ever becomes text: nothing here parses markup.
// What a report means is the pages' business.

/** The document that the page shows, as it was embedded. */
const report = JSON.parse(document.getElementById("report").textContent);

/**
 * Makes an element. `options` are attributes (none for null and false), and: `class`, `style` (properties by name, custom ones
 * too) and `on` (listeners by event). Children are elements or text; null is none.
 */
function el(name, options = {}, ...children) {
  const { style = {}, on = {}, ...attributes } = options;
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? "" : value);
  }
  for (const [key, value] of Object.entries(style)) element.style.setProperty(key, value);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text in which what stands between backticks is code. */
function prose(text) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? el("code", {}, part) : part));
}

/** The element of this id, which the page's own markup has. */
function byId(id) {
  return document.getElementById(id);
}

/** Puts these children in the place of all others. */
function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

/** Moves along a row of elements by arrow keys, Home and End: one of them is a stop of the Tab key, the others are not. */
function rove(event, elements) {
  const at = elements.indexOf(event.target.closest("[tabindex]"));
  const steps = {
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    Home: 0,
    End: elements.length - 1,
  };
  const to = elements[steps[event.key]];
  if (at < 0 || !to) return null;
  event.preventDefault();
  to.focus();
  return to;
}
