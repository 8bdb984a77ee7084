// The life of a page: when it is put to sleep, wakes, and has its network back. A program without a page has none of it.

/**
 * @param {{sleep: () => void, wake: () => void, hurry: () => void}} node hurry: there may be a network again
 * @param {AbortSignal} signal ends it
 */
export function live(node, signal) {
  if (typeof document !== "object") {
    return;
  }
  // pageshow comes for every page once, resume for one that was frozen without being left.
  addEventListener("pagehide", () => node.sleep(), { signal });
  addEventListener("pageshow", ({ persisted }) => persisted && node.wake(), { signal });
  document.addEventListener("freeze", () => node.sleep(), { signal });
  document.addEventListener("resume", () => node.wake(), { signal });
  addEventListener("online", () => node.hurry(), { signal });
  document.addEventListener("visibilitychange", () => document.hidden || node.hurry(), { signal });
}
