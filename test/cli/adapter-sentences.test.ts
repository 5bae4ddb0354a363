import { expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { float32Tensor, putAdapter } from "../support/lora.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();

test("in a merged checkpoint, what the adapter replaces should be the adapter's, and all else the base's", async () => {
  const tensor = (name: string, value: number) => float32Tensor(name, [1, 2], [value, value]);
  const rest = (names: Record<string, number>) =>
    Object.entries(names).map(([name, value]) => tensor(name, value));
  const checkpoint = (name: string, names: Record<string, number>) =>
    put(folder, `replaced-${name}.safetensors`, encodeSafetensors(rest(names)));
  const names = { "q.weight": 1, "lm_head.weight": 2, "norm.weight": 3 };
  const onBase = checkpoint("base", names);
  // B is zero: the merge leaves q as it is. It takes lm_head from the adapter.
  const adapter = putAdapter(folder, "replacing", { r: 1, lora_alpha: 1, modules_to_save: ["lm_head"] }, [
    float32Tensor("base_model.model.q.lora_A.weight", [1, 2], [1, 1]),
    float32Tensor("base_model.model.q.lora_B.weight", [1, 1], [0]),
    tensor("base_model.model.lm_head.weight", 7),
  ]);
  const told = async (name: string, changes: Record<string, number>) => {
    const merged = checkpoint(name, { ...names, ...changes });
    const result = JSON.parse(await output("diff", onBase, adapter, "--merged", merged, "--json", "-"));
    expectValid("result", result);
    const text = (await output("diff", onBase, adapter, "--merged", merged)).replaceAll(/\s+/g, " ");
    return [result.merge.merged.others, text.match(/[^.]*not the [a-z]+'s\./g) ?? []];
  };
  expect(await told("right", { "lm_head.weight": 7 })).toEqual([
    { tensors: 2, differ: 0, replaced: { tensors: 1, differ: 0 } },
    [],
  ]);
  expect(await told("kept", {})).toEqual([
    { tensors: 2, differ: 1, replaced: { tensors: 1, differ: 1 } },
    [" 1 of its 1 replaced tensor is not the adapter's."],
  ]);
  expect(await told("other", { "lm_head.weight": 7, "norm.weight": 4 })).toEqual([
    { tensors: 2, differ: 1, replaced: { tensors: 1, differ: 0 } },
    [" 1 of its 1 other tensor is not the base's."],
  ]);
});

test("updates that are zero stand beside the share of the others that were lost", async () => {
  const onBase = put(
    folder,
    "zeros.safetensors",
    // A weight of -0 to which zero is added and subtracted becomes +0, which is the same number.
    encodeSafetensors([float32Tensor("q.weight", [2, 2], [-0, 1, 1, 1])]),
  );
  const told = async (name: string, b: number[]) => {
    const adapter = putAdapter(folder, `zeros-${name}`, { r: 1, lora_alpha: 1 }, [
      float32Tensor("base_model.model.q.lora_A.weight", [1, 2], [1, 1]),
      float32Tensor("base_model.model.q.lora_B.weight", [2, 1], b),
    ]);
    return (await output("diff", onBase, adapter, "--unmerge")).replaceAll(/\s+/g, " ");
  };
  const none = await told("all", [0, 0]);
  expect(none).toContain("Merged into fp32 in-place, the adapter changes nothing: all its updates are zero.");
  expect(none).toContain("Unmerging gives every weight's number back.");
  // In fp32, 1 + 1 is another number, and 1 + 2^-30 is not.
  expect(await told("half", [0, 1])).toContain(
    "0.0% of the adapter's nonzero updates left the stored weight as it was; 50.0% of the updates are zero.",
  );
  expect(await told("lost", [0, 2 ** -30])).toContain(
    "100.0% of the adapter's nonzero updates left the stored weight as it was; 50.0% of the updates are zero.",
  );
});
