import { randomInt } from "node:crypto";
import { createRequire } from "node:module";

import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

const local = {
  type: "edr-simulated",
  chainId: 31337,
  hardfork: "prague",
  // 10,000 ETH and a random bit more, so that no two chains share a genesis hash. By the time alone, which counts
  // in seconds, a chain that is soon started again would pass for the one before.
  accounts: { accountsBalance: String(10_000n * 10n ** 18n + BigInt(randomInt(2 ** 47))) },
  // A node in the world answers with the hash of a transaction that will revert; so does this one.
  throwOnTransactionFailures: false,
};

export default defineConfig({
  paths: { sources: "./src", tests: { solidity: "./test" } },
  solidity: {
    version: "0.8.37",
    // The npm package's own compiler, so that a build asks no network.
    path: require.resolve("solc/soljson.js"),
    settings: {
      // Confirming happens a thousand times for each deployment, so run-time gas counts and code size does not.
      optimizer: { enabled: true, runs: 10_000 },
      evmVersion: "prague",
    },
  },
  networks: {
    node: { ...local, mining: { auto: false, interval: 1_000 } },
    automine: local,
  },
  test: {
    // Seconds in all, or minutes for `make test-deep`.
    solidity:
      process.env.FUZZ === "deep"
        ? { fuzz: { runs: 5_000 }, invariant: { runs: 128, depth: 100 } }
        : { fuzz: { runs: 500 }, invariant: { runs: 32, depth: 50 } },
  },
});
