import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { openCheckpoint } from "../../../src/source/checkpoint.js";
import { InputError } from "../../../src/source/input-error.js";
import { WeightsWriter } from "../../../src/source/safetensors/weights-writer.js";
import { tensorOf } from "../../support/values.js";
import { temporaryFolder } from "../support.js";

const root = temporaryFolder();
const tensors = [tensorOf("a", [1, 2, 3]), tensorOf("b", [4])];

function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

describe("WeightsWriter", () => {
  test("takes pieces in any order, and has the file under its name at the end only", async () => {
    const at = folder("order");
    const path = join(at, "w.safetensors");
    const writer = new WeightsWriter(path, tensors, format("bf16"), { made: "here" });
    writer.write(1, 0, Float32Array.of(4));
    writer.write(0, 2, Float32Array.of(3));
    writer.write(0, 0, Float32Array.of(1, 2));
    expect(readdirSync(at)).not.toContain("w.safetensors");
    writer.finish();
    writer.abandon();
    expect(readdirSync(at)).toEqual(["w.safetensors"]);
    const written = await openCheckpoint(path);
    const numbers = new Float32Array(3);
    await written.tensors.get("a")!.values!.read(0, numbers);
    expect(numbers).toEqual(Float32Array.of(1, 2, 3));
    expect(written.metadata.get("made")).toBe("here");
    await written.close();
  });

  test("leaves nothing behind when it is abandoned, twice too", () => {
    const at = folder("abandoned");
    const writer = new WeightsWriter(join(at, "w.safetensors"), tensors, format("fp32"), {});
    writer.write(0, 0, Float32Array.of(1));
    writer.abandon();
    writer.abandon();
    expect(readdirSync(at)).toEqual([]);
  });

  test("says in one sentence what the system refuses, and leaves nothing behind", () => {
    const at = folder("refused");
    const path = join(at, "w.safetensors");
    const writer = new WeightsWriter(path, tensors, format("fp32"), {});
    // Became a folder in the meantime: a file cannot be renamed to it.
    mkdirSync(path);
    expect(() => writer.finish()).toThrow(InputError);
    expect(() => writer.abandon()).not.toThrow();
    expect(readdirSync(at)).toEqual(["w.safetensors"]);
    const missing = join(at, "nowhere", "w.safetensors");
    expect(() => new WeightsWriter(missing, tensors, format("fp32"), {})).toThrow(InputError);
  });
});
