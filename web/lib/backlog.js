// What a page has not taken in yet of what its node has heard, by the Worker's count.

const MOST_UNREAD = 1024; // messages

/** It has a bound, which messages may reach when a page is busy. Beyond, they are lost. */
export class Backlog {
  #unread = 0;
  #lost = false;
  #say;
  #refuse;

  /**
   * @param {(event: any) => void} say has the page take an event in
   * @param {(question: number) => void} refuse one that is lost was a question
   */
  constructor(say, refuse) {
    this.#say = say;
    this.#refuse = refuse;
  }

  /** @param {any} event "heard", as in docs/abi.md */
  hear(event) {
    if (this.#unread >= MOST_UNREAD) {
      this.#lost = true;
      event.question && this.#refuse(event.question);
      return;
    }
    if (this.#lost) {
      this.#lost = false;
      this.#say({ kind: "gap" });
    }
    this.#unread++;
    this.#say(event);
  }

  /** The page has taken some in. @param {number} messages */
  took(messages) {
    this.#unread -= messages;
  }
}
