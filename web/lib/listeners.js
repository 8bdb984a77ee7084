// Who listens to what.

const MOST_EARLY = 32;

/**
 * @template {{[kind in keyof Events]: (detail: any) => void}} Events
 */
export class Listeners {
  /** @type {Map<keyof Events, Set<(detail: any) => void>>} */
  #of = new Map();
  #late;
  #kept;
  /** What nobody has listened to yet. @type {any[]} */
  #early = [];

  /** Is told of all, at once. @type {(kind: keyof Events | "forgotten", detail?: any) => void} */
  tap = () => {};

  /**
   * @param {keyof Events} late events of this kind are kept until somebody listens to it: 32,
   * @param {(detail: any) => boolean} kept and no others than these
   */
  constructor(late, kept) {
    this.#late = late;
    this.#kept = kept;
  }

  /**
   * @template {keyof Events} Kind
   * @param {Kind} kind
   * @param {Events[Kind]} listener
   */
  add(kind, listener) {
    this.#of.set(kind, (this.#of.get(kind) ?? new Set()).add(listener));
    if (kind === this.#late) {
      this.#early.splice(0).forEach((detail) => this.tell(kind, detail));
    }
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
    this.tap(kind, detail);
    const listeners = this.#of.get(kind);
    if (!listeners && kind === this.#late && this.#kept(detail) && this.#early.length < MOST_EARLY) {
      this.#early.push(detail);
    }
    for (const listener of listeners ?? []) {
      queueMicrotask(() => listeners?.has(listener) && listener(detail));
    }
  }
}
