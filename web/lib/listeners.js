// Who listens to what.

/**
 * @template {{[kind in keyof Events]: (detail: any) => void}} Events
 */
export class Listeners {
  /** @type {Map<keyof Events, Set<(detail: any) => void>>} */
  #of = new Map();

  /**
   * @template {keyof Events} Kind
   * @param {Kind} kind
   * @param {Events[Kind]} listener
   */
  add(kind, listener) {
    this.#of.set(kind, (this.#of.get(kind) ?? new Set()).add(listener));
  }

  /**
   * @template {keyof Events} Kind
   * @param {Kind} kind
   * @param {Events[Kind]} listener
   */
  delete(kind, listener) {
    this.#of.get(kind)?.delete(listener);
  }

  /** @param {keyof Events} kind */
  has(kind) {
    return !!this.#of.get(kind)?.size;
  }

  /**
   * Calls those that listen, after what is under way, so that they may do anything.
   * @template {keyof Events} Kind
   * @param {Kind} kind
   * @param {Parameters<Events[Kind]>[0]} detail
   */
  tell(kind, detail) {
    const listeners = this.#of.get(kind);
    for (const listener of listeners ?? []) {
      queueMicrotask(() => listeners?.has(listener) && listener(detail));
    }
  }
}
