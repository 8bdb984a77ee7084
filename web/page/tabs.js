// What happens, on several sheets, of which one is looked at.

import { $ } from "./panel.js";

/** @param {() => void} chosen another one is looked at */
export function tabs(chosen) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#log [role="tab"]')]);
  const choose = (/** @type {HTMLElement} */ one) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab === one));
      tab.tabIndex = tab === one ? 0 : -1;
      $(tab.getAttribute("aria-controls") ?? "").hidden = tab !== one;
    }
    chosen();
  };
  all.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (e) => {
      const to = { ArrowLeft: all[i - 1], ArrowRight: all[i + 1], Home: all[0], End: all.at(-1) }[e.key];
      if (!to || to === tab) return;
      e.preventDefault();
      choose(to);
      to.focus();
    });
  });
}
