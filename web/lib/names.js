// The names of nodes that were given none. A tab has one in a ring, and keeps it when it is reloaded, where the browser
// lets it. (A tab that is duplicated begins with the name of the first, finds it taken, and takes another.)

const key = (/** @type {string} */ ring) => `nanoring ${ring}`;

/**
 * A name that hardly any other has.
 * @param {string} begin how it has to begin
 */
export function randomName(begin) {
  const letters = "bcdfghjklmnpqrstvwxz"; // no vowels: no words
  const usual = typeof document === "object" || "onconnect" in globalThis ? "tab-" : "js-";
  return (usual.startsWith(begin) ? usual : begin) + Array.from(crypto.getRandomValues(new Uint32Array(5)), (n) => letters[n % letters.length]).join("");
}

/**
 * The name that one who was given none begins with.
 * @param {string} ring
 * @param {string} begin how it has to begin
 * @param {string} old that it had once; "" if that is to be remembered
 */
export function ownName(ring, begin, old) {
  const name = old || remembered(ring);
  return name?.startsWith(begin) ? name : randomName(begin);
}

/** @param {string} ring */
export function remembered(ring) {
  try {
    return sessionStorage.getItem(key(ring));
  } catch {
    return null;
  }
}

/**
 * @param {string} ring
 * @param {string} name
 */
export function remember(ring, name) {
  try {
    sessionStorage.setItem(key(ring), name);
  } catch {
    // Then it has another when it is reloaded.
  }
}

/** @param {string} ring */
export function forget(ring) {
  try {
    sessionStorage.removeItem(key(ring));
  } catch {
    // There is nothing to forget.
  }
}
