#!/usr/bin/env node
// The contracts' own compiler, as JavaScript, behind the two options that forge asks of a solc on the path:
// `--version`, and `--standard-json` from the input to the output. The package's own `solcjs` prints a warning there.

const { readFileSync, writeFileSync } = require("node:fs");

const solc = require("../../contracts/node_modules/solc");

if (process.argv.includes("--version")) {
  writeFileSync(1, `solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else {
  writeFileSync(1, solc.compile(readFileSync(0, "utf8")));
}
