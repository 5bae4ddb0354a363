import { describe, expect, it } from "vitest";
import { type BlockScheme, blockSchemeNames, blockSchemes } from "../../src/update/block-scheme.js";

/** One step of a weight that is stored as the given number. */
function step(
  scheme: BlockScheme,
  state: { weight: number; carrier: number },
  update: number,
  stored: number,
) {
  const proposed = scheme.proposed(state, update, 0.75);
  return { proposed, carrier: scheme.carried(state, proposed, stored, 0.75) };
}

const tiny = 2 ** -24;

describe("schemes of weights that share scales", () => {
  it("say what their carrier is, and what holds all updates so far", () => {
    const found = blockSchemeNames.map((name) => [
      name,
      blockSchemes[name].carrier,
      blockSchemes[name].holds,
    ]);
    expect(found).toEqual([
      ["master", "fp32 master", "carrier"],
      ["in-place", null, "weight"],
      ["eco", "momentum", "sum"],
    ]);
  });

  it("master: the carrier is the weight as given, and takes the update in fp32", () => {
    const { master } = blockSchemes;
    expect(master.start(0.1)).toBe(Math.fround(0.1));
    expect(step(master, { weight: 1, carrier: 1.125 }, 0.25, 1.5)).toEqual({
      proposed: 1.375,
      carrier: 1.375,
    });
    // Half an fp32 gap above 1 goes to the even number, 1.
    expect(step(master, { weight: 1, carrier: 1 }, tiny, 1)).toEqual({ proposed: 1, carrier: 1 });
  });

  it("in-place: the stored number takes it, and nothing is carried", () => {
    const inPlace = blockSchemes["in-place"];
    expect(inPlace.start()).toBe(0);
    expect(step(inPlace, { weight: 1, carrier: 0 }, 0.25, 1.5)).toEqual({ proposed: 1.25, carrier: 0 });
    expect(step(inPlace, { weight: 1, carrier: 0 }, tiny, 1)).toEqual({ proposed: 1, carrier: 0 });
  });

  it("eco: a quarter of the remainder comes back with the update where beta is .75, the rest waits", () => {
    const { eco } = blockSchemes;
    expect(eco.start()).toBe(0);
    // 1 + .25 + .5 / 4 is proposed and 1.5 stored; of the remainder, 3/8 wait, and 1/8 was stored too much.
    expect(step(eco, { weight: 1, carrier: 0.5 }, 0.25, 1.5)).toEqual({ proposed: 1.375, carrier: 0.25 });
    // Each operation is rounded: the update and its share first, which moves 1 by a gap where it alone does not.
    expect(step(eco, { weight: 1, carrier: 0 }, tiny, 1)).toEqual({ proposed: 1, carrier: 0 });
    expect(step(eco, { weight: 1, carrier: 4 * tiny }, tiny, 1)).toEqual({
      proposed: 1 + 2 * tiny,
      carrier: 5 * tiny,
    });
  });

  it("eco: weight and remainder together take every update whole", () => {
    const { eco } = blockSchemes;
    let [weight, carrier] = [1, 0];
    for (const [i, stored] of [1.5, 1, 0.5, 2].entries()) {
      ({ carrier } = step(eco, { weight, carrier }, 2 ** -i, stored));
      weight = stored;
    }
    // 1 and the updates 1, 1/2, 1/4, 1/8, all exact here.
    expect(weight + carrier).toBe(1 + 1.875);
  });
});
