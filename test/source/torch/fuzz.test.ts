import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { openContainer } from "../../../src/source/container.js";
import { InputError } from "../../../src/source/input-error.js";
import { torchGlobals } from "../../../src/source/torch/globals.js";
import { readPickle } from "../../../src/source/torch/pickle.js";
import { sized } from "../../support/tier.js";
import { memorySource, seeded } from "../support.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../data/torch/${name}`, import.meta.url)));
const archives = ["tuned.pt", "trainer-checkpoint.pt", "views.pt", "verl/model_world_size_2_rank_0.pt"].map(
  file,
);
const metadata = file("dcp-2-ranks/.metadata");

const random = seeded(2026);

/** A few bytes changed, a part left out, doubled, or overwritten by another; or the end cut off. */
function mutated(original: Uint8Array): Uint8Array {
  const bytes = original.slice();
  const at = random(bytes.length);
  const length = 1 + random(16);
  switch (random(5)) {
    case 0:
      for (let i = 0; i < length; i++) bytes[random(bytes.length)] = random(256);
      return bytes;
    case 1:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    case 2:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...bytes.subarray(at, at + length),
        ...bytes.subarray(at),
      ]);
    case 3:
      return bytes.copyWithin(at, random(bytes.length), Math.min(bytes.length, at + length));
    default:
      return bytes.subarray(0, at);
  }
}

it("mutated files are read or refused in one sentence, within 64 MB", async () => {
  const cases = sized({ quick: 800, full: 20_000 });
  collectGarbage();
  const before = process.memoryUsage().rss;
  let [refused, opened, peak] = [0, 0, 0];
  for (let i = 0; i < cases; i++) {
    const isPickle = i % 5 === 4;
    const bytes = mutated(isPickle ? metadata : archives[i % archives.length]!);
    try {
      if (isPickle) readPickle(bytes, torchGlobals, "f");
      else {
        const { tensors } = await openContainer(memorySource("f", bytes));
        for (const { values } of tensors.values()) {
          await values?.read(0, new Float64Array(Math.min(values.length, 1000)));
        }
      }
      opened += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message).not.toMatch(/\n/);
      refused += 1;
    }
    if (i % 100 !== 0) continue;
    // What the file before it took at most is still resident; what is not collected yet, of many files, is not asked for.
    peak = Math.max(peak, process.memoryUsage().rss - before);
    collectGarbage();
  }
  // Numbers may change without notice: nothing checks them. Names, sizes and places may not.
  expect(Math.min(refused, opened)).toBeGreaterThan(cases / 10);
  expect(peak).toBeLessThan(64 * 2 ** 20);
});
