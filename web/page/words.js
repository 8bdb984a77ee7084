// Words that are explained where they stand. Each is a <details>, so that it is there without this; one at a time is open.

const all = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.word"));

export function words() {
  document.addEventListener("click", (e) => {
    for (const word of all()) if (!word.contains(/** @type {Node} */ (e.target))) word.open = false;
  });
  for (const word of all()) {
    word.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || !word.open) return;
      word.open = false;
      word.querySelector("summary")?.focus();
    });
    word.addEventListener("toggle", () => {
      if (word.open) for (const other of all()) other.open = other === word;
    });
  }
}
