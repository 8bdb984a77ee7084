// Who lives, by the locks that a browser takes from those who do not: pages and Workers that ended, crashed or were killed. There
// are none where a page came by http: from another machine.

const locks = globalThis.navigator?.locks;

/**
 * Holds a lock, and resolves with its name as soon as it is held; with "" where there are none.
 * @param {string} name
 * @param {AbortSignal} signal lets go of it
 * @returns {Promise<string>}
 */
export function held(name, signal) {
  return new Promise((resolve) => {
    if (!locks) {
      return resolve("");
    }
    locks.request(name, () => {
      resolve(name);
      return new Promise((free) => (signal.aborted ? free(0) : signal.addEventListener("abort", free)));
    }).catch(() => resolve("")); // a page that has no origin has no locks
  });
}

/**
 * Says when a lock is free.
 * @param {string} name
 * @param {AbortSignal} signal nobody wants to know any more
 * @param {() => void} free
 */
export function whenFree(name, signal, free) {
  locks?.request(name, { signal }, () => void (signal.aborted || free())).catch(() => {});
}
