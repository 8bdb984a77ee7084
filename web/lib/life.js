// The life of a page: when it is put to sleep, wakes, and has its network back. A program without a page has none of it.

/**
 * @param {{sleep: () => void, wake: () => void, hurry: () => void}} node hurry: there may be a network again
 * @param {AbortSignal} signal ends it
 */
export function live(node, signal) {
  if (typeof document !== "object") {
    return;
  }
  /** @type {(target: EventTarget, kind: string, does: (event: any) => void) => void} */
  const on = (target, kind, does) => {
    target.addEventListener(kind, does);
    signal.addEventListener("abort", () => target.removeEventListener(kind, does)); // Chrome before 90 has no option for that
  };
  // pageshow comes for every page once, resume for one that was frozen without being left.
  on(globalThis, "pagehide", () => node.sleep());
  on(globalThis, "pageshow", ({ persisted }) => persisted && node.wake());
  on(document, "freeze", () => node.sleep());
  on(document, "resume", () => node.wake());
  on(globalThis, "online", () => node.hurry());
  on(document, "visibilitychange", () => document.hidden || node.hurry());
}
