// How somebody else becomes a node of this ring: by this page, or by a page of theirs.

import { $ } from "./panel.js";
import { write, writeLines } from "./text.js";

/** What prints a link to this page with a token, where the ring's secret is. */
export function invitation() {
  return `echo "${new URL("./", location.href).href}#token=$(\n  nanoring token --secret-file ring.key --name 'tab-*')"`;
}

/** @param {() => string[]} gateways the URLs of nodes, this page's own first */
export function invite(gateways) {
  const dialog = /** @type {HTMLDialogElement} */ (/** @type {HTMLElement} */ ($("invitation")));
  $("invite").addEventListener("click", () => {
    const page = new URL("./", location.href).href;
    const locked = "locked" in document.documentElement.dataset;
    const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    $("invite-link").value = page;
    $("invite-local").hidden = !local;
    $("invite-locked").hidden = !locked;
    $("invite-command").hidden = !locked;
    writeLines($("invite-command"), invitation().split("\n"));
    writeLines($("invite-code"), [
      `<script type="module">`,
      `  import { join } from "${page}nanoring.js";`,
      `  const node = await join({ gateways: ${JSON.stringify(gateways().slice(0, 2)).replaceAll(",", ", ")}${locked ? ', token: "…"' : ""} });`,
      `  node.on("change", () => console.log(node.up()));`,
      `</script>`,
    ]);
    write($("invite-copy"), "Copy");
    dialog.showModal();
    $("invite-link").select();
  });
  $("invite-copy").addEventListener("click", async () => {
    $("invite-link").select();
    const copied = await navigator.clipboard?.writeText($("invite-link").value).then(() => true, () => false);
    write($("invite-copy"), copied ? "Copied" : "Press Ctrl-C");
  });
}
