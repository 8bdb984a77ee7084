// What others said is shown so that it is seen for what it is: by write, el, hint and legible, and nowhere else. What turns
// text around, is drawn as nothing or is a control is shown escaped; page.css isolates what is written from right to left.

// Of emoji joiners and selectors are a part.
const UNSEEN = /\p{Extended_Pictographic}\ufe0f?(?:\u200d\p{Extended_Pictographic}\ufe0f?)*|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Text as it may be shown. @param {string} text */
export const legible = (text) => text.replace(UNSEEN, (part) => (/^\p{Extended_Pictographic}/u.test(part) ? part : `\\u{${part.codePointAt(0)?.toString(16)}}`));


/** Writes a text into an element, in place of what is there. @param {Node} element @param {string} text */
export function write(element, text) {
  element.textContent = legible(text);
}

/** Writes lines of code, to be copied. @param {Node} element @param {string[]} lines */
export function writeLines(element, lines) {
  element.textContent = lines.map(legible).join("\n");
}

/** Has an element say more where the pointer rests. @param {HTMLElement} element @param {string} text */
export function hint(element, text) {
  element.title = legible(text);
}

/**
 * Makes an HTML element with text in it.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {string} text @param {string} [className]
 */
export function el(tag, text, className = "") {
  const element = document.createElement(tag);
  write(element, text);
  element.className = className;
  return element;
}
