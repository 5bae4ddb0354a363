import { describe, expect, it } from "vitest";
import type { Case, End, TensorCounts, Totals } from "../../../src/lens/run/case.js";
import { mergeCase } from "../../../src/lens/run/merge-lens.js";

/** A tensor of ten weights, of whose one step so many were lost, moved and not updated. */
function tensor(name: string, lost: number, moved: number, none: number, squared: number): TensorCounts {
  const totals: Partial<Totals> = {
    ...{ elements: 10, steps: 1, none, lost, kept: 0, moved, collateral: 0, zeros: none },
    nonfinite: 10 - lost - moved - none,
    sums: { updateSquared: [squared], effectiveSquared: [4 * squared], product: [squared / 2] },
  };
  return { name, shape: [10], totals } as unknown as TensorCounts;
}

const q10 = tensor("model.layers.10.self_attn.q_proj.weight", 1, 2, 7, 9);
const down2 = tensor("model.layers.2.mlp.down_proj.weight", 3, 3, 3, 16);
const q2 = tensor("model.layers.2.self_attn.q_proj.weight", 0, 10, 0, 7);
const norm = tensor("model.norm.weight", 0, 0, 10, 0);
const audio = tensor("audio_tower.layers.2.fc1.weight", 4, 4, 0, 1);

const caseOf = (...tensors: readonly TensorCounts[]) => ({ tensors }) as unknown as Case;
const end = (unchanged: number, returned: number, nonfinite: number) =>
  ({ unchanged, returned, nonfinite }) as End;

describe("a merge case", () => {
  const merged = () => mergeCase(caseOf(q10, norm, down2, audio, q2), null);

  it("adds up the updates of a kind, in the order of the kinds, and of those only that occur", () => {
    const { kinds } = merged();
    expect(kinds.map(({ kind, tensors, elements }) => [kind, tensors, elements])).toEqual([
      ["q", 2, 20],
      ["down", 1, 10],
      ["norm", 1, 10],
      ["audio", 1, 10],
    ]);
    // By hand: 1 + 0 lost, 2 + 10 moved, 7 + 0 zeros of 20; the root of 9 + 7, twice that, and a half.
    expect(kinds[0]).toEqual({
      ...{ kind: "q", tensors: 2, elements: 20 },
      ...{ none: 7, lost: 1, kept: 0, moved: 12, collateral: 0, nonfinite: 0, zeros: 7 },
      realSparsity: 7 / 20,
      apparentSparsity: 8 / 20,
      hiddenShare: 1 / 13,
      updateNorm: 4,
      effectiveNorm: 8,
      effectiveDescent: 0.5,
      sums: { updateSquared: [16], effectiveSquared: [64], product: [8] },
    });
  });

  it("adds up the updates of a layer, by stack and number; what is in no layer is in none of them", () => {
    const { layers } = merged();
    expect(
      layers.map(({ stack, layer, tensors, lost, moved }) => [stack, layer, tensors, lost, moved]),
    ).toEqual([
      ["audio_tower.layers", 2, 1, 4, 4],
      ["model.layers", 2, 2, 3, 13],
      ["model.layers", 10, 1, 1, 2],
    ]);
    expect(layers[1]).toMatchObject({ elements: 20, nonfinite: 1, realSparsity: 3 / 19 });
  });

  it("lists layers alike, in whatever order the tensors come", () => {
    const lists = [
      [q2, down2, q10, audio],
      [audio, q10, q2, down2],
      [q10, audio, down2, q2],
    ].map((tensors) => mergeCase(caseOf(...tensors), null).layers);
    for (const list of lists) expect(list).toEqual(merged().layers);
  });

  it("was not unmerged where that was not asked for", () => {
    expect(merged().unmerge).toBeNull();
  });
});

describe("unmerging", () => {
  it("leaves changed what is finite and not as before", () => {
    expect(mergeCase(caseOf(q2, norm), end(12, 5, 4)).unmerge).toEqual({
      ...{ elements: 20, unchanged: 12, returned: 5, nonfinite: 4 },
      changed: 4,
      changedShare: 4 / 16,
    });
  });

  it("has no share of nothing that is finite", () => {
    expect(mergeCase(caseOf(norm), end(0, 0, 10)).unmerge).toMatchObject({ changed: 0, changedShare: null });
  });
});
