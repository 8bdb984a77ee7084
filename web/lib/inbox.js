// What waits for who reads it in a loop, by for await.

/**
 * @template T
 * @implements {AsyncIterableIterator<T>}
 */
export class Inbox {
  /** @type {T[]} */
  #items = [];
  /** Those who wait for an item. @type {{resolve: (result: IteratorResult<T, undefined>) => void, reject: (error: unknown) => void}[]} */
  #readers = [];
  #over = false;
  /** Why it is over, until a reader was told. @type {unknown} */
  #error;

  /** How many wait to be read. */
  get unread() {
    return this.#items.length;
  }

  /** @param {T} item */
  put(item) {
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: item });
    } else if (!this.#over) {
      this.#items.push(item);
    }
  }

  /** Takes the oldest item away, unread, and returns the one after it. */
  drop() {
    this.#items.shift();
    return this.#items[0];
  }

  /** Nothing comes after what is there. @param {unknown} [error] which a reader is told then */
  end(error) {
    if (!this.#over) {
      [this.#over, this.#error] = [true, error];
      this.#readers.splice(0).forEach((reader) => this.next().then(reader.resolve, reader.reject));
    }
  }

  /** @returns {Promise<IteratorResult<T, undefined>>} */
  async next() {
    if (this.#items.length) {
      return { done: false, value: /** @type {T} */ (this.#items.shift()) };
    }
    if (!this.#over) {
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    const error = this.#error;
    this.#error = undefined;
    if (error) {
      throw error;
    }
    return { done: true, value: undefined };
  }

  /** Who reads breaks off. @returns {Promise<IteratorResult<T, undefined>>} */
  async return() {
    this.#items.length = 0;
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
