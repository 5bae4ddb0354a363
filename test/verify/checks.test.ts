/** The long checks on a small part of their cases: that they run, and that they can fail. */

import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { wasm } from "../../src/engine/wasm/wasm.js";
import { addTo } from "../../src/format/operations.js";
import { roundSum } from "../../src/format/round.js";
import { float32Bits, float32FromBits, stepFloat32 } from "../support/bits.js";
import { Mismatches } from "../support/mismatches.js";
import { operationCases } from "../support/operations.js";
import { deterministicRoundings, expectedRounds } from "../support/oracle.js";
import { criticalPoints } from "../support/points.js";
import { subjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";
import { addition } from "./addition.js";
import { type Check, checks, spreadPieces } from "./checks.js";
import { Count } from "./count.js";
import { engine, gpuEngineOn } from "./engine.js";
import { hard } from "./hard.js";
import { bitFormats, roundBits } from "./integer-round.js";
import { sweep } from "./sweep.js";

/** Does some pieces, spread over the check. */
async function part(
  { prepare, ...check }: Pick<Check, "pieces" | "prepare">,
  pieces = sized({ quick: 2, full: 12 }),
): Promise<Count> {
  const run = prepare();
  const count = new Count();
  for (const piece of spreadPieces(check, 0, pieces)) await run(piece, count);
  return count;
}

/** What a GPU is for is tried on one in test/engine/gpujs. */
const anywhere = checks.filter(({ impossible }) => impossible === undefined);

describe("a small part of each check", () => {
  it.each(anywhere)("$name finds nothing", async (check) => {
    const { mismatches, first, cases } = await part(check, sized({ quick: 1, full: 12 }));
    expect({ mismatches, first }).toEqual({ mismatches: 0, first: "" });
    expect(cases).toBeGreaterThan(10_000);
  });

  it.each(checks)("$name: the whole is every piece, once", (check) => {
    const half = check.pieces / 2;
    const pieces = [...spreadPieces(check, 0, half), ...spreadPieces(check, half, check.pieces)];
    expect(new Set(pieces).size).toBe(check.pieces);
    expect(Math.min(...pieces.slice(0, 64))).toBeLessThan(check.pieces / 32);
    expect(Math.max(...pieces.slice(0, 64))).toBeLessThan(check.pieces);
  });
});

describe("the checks can fail", () => {
  const pieces = 2 ** 16;
  /** Takes another seed than the one asked for. */
  const seeded: Pick<Engine, "run"> = {
    run: (job, observer) =>
      wasm.run(
        { ...job, cases: job.cases.map((settings) => ({ ...settings, seed: settings.seed + 1 })) },
        observer,
      ),
  };

  it("a sweep: ties away instead of to even, and one single wrong number", async () => {
    const ties: typeof roundSum = (x, tail, format, rounding, overflow, bits) =>
      roundSum(x, tail, format, rounding === "nearest-even" ? "nearest-away" : rounding, overflow, bits);
    expect((await part({ pieces, prepare: () => sweep("bf16", ties) })).mismatches).toBeGreaterThan(0);

    const oneWrong: typeof roundSum = (x, tail, format, rounding, overflow, bits) =>
      x === 1.5 && rounding === "to-odd" ? 1 : roundSum(x, tail, format, rounding, overflow, bits);
    const count = new Count();
    sweep("fp16", oneWrong)(0x3fc0, count);
    expect(count).toMatchObject({
      mismatches: 1,
      first: "0x3fc00000 to fp16, to-odd: expected 1.5, got 1",
    });
  });

  it("a sweep: the sign of zero", () => {
    const unsigned: typeof roundSum = (...args) => roundSum(...args) + 0;
    const count = new Count();
    sweep("e5m2", unsigned)(0x8000, count);
    expect(count.mismatches).toBeGreaterThan(0);
  });

  it("an addition: rounded toward zero", async () => {
    const truncated: typeof addTo = (a, b, to, bits) => addTo(a, b, { ...to, rounding: "toward-zero" }, bits);
    for (const name of ["bf16", "fp16"] as const) {
      const { mismatches } = await part({ pieces, prepare: () => addition(name, truncated) });
      expect(mismatches).toBeGreaterThan(0);
    }
  });

  it("an engine: another seed than the one asked for", async () => {
    const { mismatches, first } = await part({
      pieces: 2 ** 13,
      prepare: () => engine("in-place", seeded),
    });
    expect(mismatches).toBeGreaterThan(0);
    expect(first).toContain("stochastic");
  });

  it("a device: another seed, and by a CPU's engine nothing", async () => {
    const [formats, elements] = sized({ quick: [2, 500], full: [3, 2000] });
    const run = (tested: Pick<Engine, "run">) =>
      part({ pieces: 64, prepare: () => gpuEngineOn("two-term", tested, elements) }, formats);
    expect(await run(wasm)).toMatchObject({ mismatches: 0, cases: formats * 14 * 2 * elements });
    expect((await run(seeded)).mismatches).toBeGreaterThan(0);
  });

  it.each(operationCases)(
    "hard operands: $name computed in fp32 where exact was asked for",
    async (operation) => {
      const apply: typeof operation.apply = (a, b, c, format, options) =>
        operation.apply(a, b, c, format, { ...options, opmath: "fp32" });
      const prepare = () => hard("bf16", [{ ...operation, apply }]);
      const { mismatches, first } = await part({ pieces: 2 ** 13, prepare });
      expect(mismatches).toBeGreaterThan(0);
      expect(first).toContain(`${operation.name}(`);
    },
  );
});

describe("rounding by shifts and masks", () => {
  it.each(Object.entries(bitFormats))(
    "to %s agrees with the search in a table of values",
    (name, bitFormat) => {
      const { oracle } = subjects.find((subject) => subject.name === name)!;
      const mismatches = new Mismatches();
      const points = criticalPoints(oracle, [stepFloat32]);
      // Coprime to the three points of a number, so that all kinds of them are met.
      const stride = sized({ quick: oracle.bits > 8 ? 5 : 1, full: 1 });
      for (let i = 0; i < points.length; i += stride) {
        const magnitude = Math.fround(points[i]!);
        const expected = expectedRounds(magnitude, oracle);
        for (const x of [magnitude, -magnitude]) {
          for (const rounding of deterministicRoundings) {
            const actual = float32FromBits(roundBits(float32Bits(x) | 0, bitFormat, rounding) >>> 0);
            const right = expected(Object.is(x, -magnitude), rounding);
            if (!Object.is(actual, right)) mismatches.add(actual, right, `${x} ${rounding}`);
          }
        }
      }
      mismatches.expectNone();
    },
  );
});
