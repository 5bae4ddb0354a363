import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearestNames, unknownName } from "../../src/format/unknown-name.js";

/** By the definition, on short texts: the fewest edits, found breadth first. */
function fewestEdits(from: string, to: string, letters: string): number {
  let reached = new Set([from]);
  for (let edits = 0; ; edits++) {
    if (reached.has(to)) return edits;
    const next = new Set<string>();
    for (const text of reached) {
      for (let i = 0; i <= text.length; i++) {
        const [before, after] = [text.slice(0, i), text.slice(i)];
        next.add(before + after.slice(1));
        for (const letter of letters) {
          next.add(before + letter + after);
          next.add(before + letter + after.slice(1));
        }
        if (after.length > 1) next.add(before + after[1] + after[0] + after.slice(2));
      }
    }
    reached = next;
  }
}

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["bf16", "bf16", 0],
    ["", "bf16", 4],
    ["bf61", "bf16", 1],
    ["kahn", "kahan", 1],
    ["materr", "master", 2],
    ["kitten", "sitting", 3],
    // Text between exchanged letters is not edited again: by free exchanges it would be 2.
    ["ca", "abc", 3],
  ])("from %j to %j: %i", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });

  it("is that of a search where it is at most 1", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 });
    fc.assert(
      fc.property(text, text, (from, to) => {
        const edits = fewestEdits(from, to, "ab");
        if (edits <= 1) expect(editDistance(from, to)).toBe(edits);
        else expect(editDistance(from, to)).toBeGreaterThanOrEqual(edits);
      }),
      { numRuns: 100 },
    );
  });
});

describe("nearestNames", () => {
  const known = ["nearest-even", "nearest-away", "toward-zero", "rz", "RZ", "bf16", "BF16"];

  it.each([
    ["bf61", ["bf16"]],
    ["BF61", ["BF16"]],
    ["nearest", ["nearest-even", "nearest-away"]],
    ["towards-zero", ["toward-zero"]],
    ["rzz", ["rz"]],
    ["x", []],
    ["", []],
    ["int8", []],
  ])("of %j: %j", (name, expected) => {
    expect(nearestNames(name, known)).toEqual(expected);
  });

  it("begin with the name, if it has three letters or more", () => {
    expect(nearestNames("nea", known)).toEqual(["nearest-even", "nearest-away"]);
    expect(nearestNames("ne", known)).toEqual([]);
  });

  it("are at most a third of the longer name away", () => {
    expect(nearestNames("kahaner", ["kahan"])).toEqual(["kahan"]);
    expect(nearestNames("kahane", ["kahn"])).toEqual(["kahn"]);
    expect(nearestNames("kahan", ["khn"])).toEqual([]);
  });

  it("share a letter with it", () => {
    expect(nearestNames("r", ["rz", "rn"])).toEqual([]);
    expect(nearestNames("ab", ["bc"])).toEqual([]);
    expect(nearestNames("rs", ["rz"])).toEqual(["rz"]);
  });

  it("are the fewest edits away, whatever the case; of equally many the nearer case decides", () => {
    // One edit and seven letters of another case, against two and five.
    expect(nearestNames("FLOAT32", ["float3", "FLoat3211"])).toEqual(["float3"]);
    expect(nearestNames("FLOAT32", ["float3", "FLOat3"])).toEqual(["FLOat3"]);
  });

  it("are none where more than three are as near", () => {
    expect(nearestNames("ab0", ["ab1", "ab2", "ab3"])).toEqual(["ab1", "ab2", "ab3"]);
    expect(nearestNames("ab0", ["ab1", "ab2", "ab3", "ab4"])).toEqual([]);
  });
});

describe("unknownName", () => {
  it("says which name is near and which are known", () => {
    const { message } = unknownName("engine", "wsm", ["auto", "wasm"]);
    expect(message).toBe('unknown engine "wsm": did you mean wasm? Expected auto, wasm');
  });

  it("names all that are equally near", () => {
    const { message } = unknownName("rounding", "nearest", ["nearest-even", "nearest-away"]);
    expect(message).toBe(
      'unknown rounding "nearest": did you mean nearest-even or nearest-away? Expected nearest-even, nearest-away',
    );
  });

  it("says which are known where none is near, and whose they are", () => {
    const { message } = unknownName("recipe", "magic", ["fp32", "master"], { owner: "sgd" });
    expect(message).toBe('unknown recipe "magic" of sgd: expected fp32, master');
  });
});
