/* Small helpers. Text goes into the page as text only, never as markup. */

/**
 * What stands at `selector` inside `root`, or null where there is no `kind`.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 */
function maybe(root, selector, kind) {
  const there = root.querySelector(selector);
  return there instanceof kind ? there : null;
}

/**
 * The same where the template always makes it. Throws where template and script disagree.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 */
function the(root, selector, kind) {
  const there = maybe(root, selector, kind);
  if (!there) throw new TypeError(`${selector} must be a ${kind.name}`);
  return there;
}

/**
 * The part of a chart that the template calls `name`.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} name
 * @param {new () => T} kind
 */
function partOf(root, name, kind) {
  return the(root, `[data-part="${name}"]`, kind);
}

/**
 * The innermost element at `selector` around the target of `event`, or null.
 * @template {Element} T
 * @param {Event} event
 * @param {string} selector
 * @param {new () => T} kind
 */
function around(event, selector, kind) {
  const there = event.target instanceof Element ? event.target.closest(selector) : null;
  return there instanceof kind ? there : null;
}

/** @param {HTMLCanvasElement} canvas */
function penOf(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("a canvas must have a 2d context");
  return pen;
}

/**
 * @param {string} name
 * @param {string} text
 */
function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/**
 * An element of a drawing.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function drawn(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * `{name}` in a text replaced by a value.
 * @param {string} text
 * @param {Record<string, string | number | undefined>} values
 */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * Give a canvas its size on the page and enough pixels for the screen.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}

/**
 * As much of `text` as fits, with an ellipsis, or nothing where that would be no help.
 * @param {{ measureText: (text: string) => { width: number } }} context
 * @param {string} text
 * @param {number} width
 */
function shorten(context, text, width) {
  const whole = context.measureText(text).width;
  if (whole <= width) return text;
  const letters = Array.from(text);
  let keep = Math.floor((letters.length * width) / whole) - 1;
  while (keep > 1 && context.measureText(`${letters.slice(0, keep).join("")}…`).width > width) keep--;
  return keep > 1 ? `${letters.slice(0, keep).join("")}…` : "";
}
