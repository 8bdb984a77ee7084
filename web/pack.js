// What npm pack and npm publish have done before and after (package.json): the package has files that are made, or are
// elsewhere in the repository. Its one tool, TypeScript, is installed if it is not there yet.

import { execSync } from "node:child_process";
import { copyFileSync, existsSync, rmSync } from "node:fs";

/** @param {string} command @param {string} why */
function run(command, why) {
  try {
    execSync(command, { stdio: ["ignore", 2, 2] }); // npm pack --json has stdout for itself
  } catch {
    fail(`"${command}" failed, ${why}`);
  }
}

/** @param {string} text */
function fail(text) {
  console.error(`nanoring is not packed: ${text}`);
  clean();
  process.exit(1);
}

function clean() {
  for (const made of ["lib/nanoring.wasm", "LICENSE", "types"]) {
    rmSync(made, { recursive: true, force: true });
  }
}

if (process.argv[2] === "after") {
  clean();
} else {
  for (const [from, to] of [["../wasm/module/nanoring.wasm", "lib/nanoring.wasm"], ["../LICENSE", "LICENSE"]]) {
    existsSync(from) ? copyFileSync(from, to) : fail(`there is no ${from}: it takes all of NanoRing's repository, not this folder alone.`);
  }
  if (!existsSync("node_modules/typescript")) {
    run("npm ci --no-audit --no-fund", "which installs TypeScript, that makes the types: is the registry reached?");
  }
  run("npx tsc -p tsconfig.types.json", "which makes the types.");
}
