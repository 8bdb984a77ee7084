// The tags of tabs that share a node, as tags of that node.

/** @typedef {Record<string, string>} Tags */

/** The tag that has what differs between the tabs; no tab has it itself. */
export const TABS = "tabs";

/**
 * One node's tags for some tabs'. What all have is a tag of the node, as if it were one tab. What differs is in the tag `tabs`, an entry for
 * each tab, with commas between them: `page=cart,page=home&typing=1`, keys and values percent-encoded.
 * @param {Tags[]} tabs
 * @returns {Tags}
 */
export function joined(tabs) {
  const all = Object.entries(tabs[0] ?? {}).filter(([key, value]) => tabs.every((tags) => tags[key] === value));
  const common = Object.fromEntries(all);
  if (tabs.length < 2) {
    return common;
  }
  const entry = (/** @type {Tags} */ tags) => Object.entries(tags).filter(([key]) => !(key in common)).map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  return { ...common, [TABS]: tabs.map(entry).join(",") };
}

/**
 * The tags of each tab of a node: one, with the node's own, where no other shares it.
 * @param {{tags: Readonly<Tags>}} node
 * @returns {Tags[]}
 */
export function tabsOf({ tags }) {
  const { [TABS]: entries, ...common } = tags;
  return entries === undefined ? [common] : entries.split(",").map((entry) => ({ ...common, ...Object.fromEntries(new URLSearchParams(entry.replace(/\+/g, "%2B"))) }));
}
