import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { sized } from "../support/tier.js";
import { bitsIn, type State, train } from "./support.js";

const folder = temporaryFolder();
const world = 2;

interface Rank {
  /** What this process's optimizer holds, by the names without the rank. */
  readonly end: State;
  /** The whole model. */
  readonly whole: State;
}

/** Trains in two processes, which meet through a file and talk over loopback. */
function trainRanks(how: string): Promise<Rank[]> {
  const env = (rank: number) => ({
    RANK: String(rank),
    WORLD_SIZE: String(world),
    STORE: `file://${join(folder, `${how}.store`)}`,
    GLOO_SOCKET_IFNAME: "lo",
  });
  const ranks = Array.from({ length: world }, (_, rank) => env(rank));
  return Promise.all(
    ranks.map((environment) => train<Rank>("ranks", join(folder, how), { how }, { env: environment })),
  );
}

describeNeeding(requirements.torch, "two processes", () => {
  const shards = ["a shard of every parameter each, as under FSDP", "shards"] as const;
  const whole = ["whole parameters each, as ZeroRedundancyOptimizer deals them out", "zero"] as const;
  test.each(sized({ quick: [shards], full: [shards, whole] }))(
    "%s: each records a run of its own, and the results add up",
    async (_, how) => {
      const ranks = await trainRanks(how);
      expect(readdirSync(join(folder, how)).sort()).toEqual(["rank00000", "rank00001"]);
      const results: string[] = [];
      let elements = 0;
      for (const [rank, { end }] of ranks.entries()) {
        const recording = join(folder, how, `rank0000${rank}`);
        const written = join(folder, `${how}-${rank}.safetensors`);
        const counted = join(folder, `${how}-${rank}.json`);
        const common = ["run", recording, "--strict", "--quiet"];
        const fp32 = ["--format", "fp32", "--scheme", "in-place"];
        await output(...common, ...fp32, "--write-weights", written);
        await output(...common, "--json", counted);
        results.push(counted);
        const named = Object.entries(end).map(([name, { bits }]) => [`${name}@rank0000${rank}`, bits]);
        expect(bitsIn(written)).toEqual(Object.fromEntries(named));
        elements += Object.values(end).reduce((sum, { bits }) => sum + bits.length / 8, 0);
        expect(existsSync(join(recording, "gradients", "gradients.safetensors.index.json"))).toBe(true);
      }
      const all = Object.values(ranks[0].whole).reduce((sum, { bits }) => sum + bits.length / 8, 0);
      expect(elements).toBe(all);
      const merged = JSON.parse(await output("report", ...results, "--json", "-"));
      expect(merged.cases[0].totals).toMatchObject({ elements, steps: 4 });
      const { none, lost, kept, moved, nonfinite } = merged.cases[0].totals;
      expect(none + lost + kept + moved + nonfinite).toBe(4 * elements);
      expect(merged.input.tensors).toBe(how === "zero" ? 10 : 20);
    },
  );

  test("the parts together are the whole model", () => {
    // Written by the test above.
    const parts = [0, 1].map((rank) =>
      bitsIn(join(folder, "shards", `rank0000${rank}`, "final.safetensors")),
    );
    const whole = bitsIn(join(folder, "shards", "rank00000", "base.safetensors"));
    expect(Object.keys(whole)).toContain("body.0.weight@rank00000");
    expect(Object.keys(parts[1])).toContain("body.0.weight@rank00001");
    expect(Object.keys(parts[1]).some((name) => name.includes("_fsdp_wrapped_module"))).toBe(false);
  });
});
