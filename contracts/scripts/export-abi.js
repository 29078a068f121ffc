// Copies the registry's interface to where the functions find it: they are packaged without this folder.

import { readFileSync, writeFileSync } from "node:fs";

const artifact = new URL("../artifacts/src/JobRegistry.sol/JobRegistry.json", import.meta.url);
const copy = new URL("../../chalicelib/adapters/registry_abi.json", import.meta.url);

const { abi } = JSON.parse(readFileSync(artifact, "utf8"));
writeFileSync(copy, JSON.stringify(abi, null, 2) + "\n");
