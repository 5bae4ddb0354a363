import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../../src/source/checkpoint.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { parseHeader } from "../../src/source/safetensors/header.js";
import { temporaryFolder } from "../source/support.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { sized } from "../support/tier.js";
import { bitsIn, bitsOf, type State, type Trained, train } from "./support.js";

const folder = temporaryFolder();

/** All files in a folder, by paths in it. */
function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(path, name)).isFile())
    .sort();
}

/** Checks every file that has its final name; gives how many steps the indexes hold. */
async function expectReadable(recording: string): Promise<{ updates: number; gradients: number }> {
  const steps = { updates: 0, gradients: 0 };
  if (!existsSync(recording)) return steps;
  for (const file of filesIn(recording).filter((name) => name.endsWith(".safetensors"))) {
    const bytes = readFileSync(join(recording, file));
    expect(() => parseHeader(bytes, bytes.length, file)).not.toThrow();
  }
  for (const series of ["updates", "gradients"] as const) {
    const index = join(recording, series, `${series}.safetensors.index.json`);
    if (!existsSync(index)) continue;
    const checkpoint = await openCheckpoint(index);
    const numbers = [...new Set([...checkpoint.tensors.keys()].map((name) => Number(name.slice(4, 8))))];
    await checkpoint.close();
    expect(numbers).toEqual(numbers.map((_, i) => i));
    steps[series] = numbers.length;
  }
  return steps;
}

describeNeeding(requirements.torch, "the files of a recording", () => {
  const recording = join(folder, "run");
  let trained: Trained;
  beforeAll(async () => {
    trained = await train("train", recording, { dtype: "bfloat16", gradients: true, steps: 3 });
  });

  test("are these and no others", () => {
    const steps = ["step0000", "step0001", "step0002"].map((name) => `${name}.safetensors`);
    const series = (name: string) => [
      `${name}/${name}.safetensors.index.json`,
      ...steps.map((s) => `${name}/${s}`),
    ];
    const expected = [
      ...["base.safetensors", "final.safetensors", ...steps.map((name) => `after/${name}`)],
      ...[...series("gradients"), ...series("updates")],
    ];
    expect(filesIn(recording)).toEqual(expected.sort());
  });

  test("are safetensors by the letter: 8-byte length, JSON, data without holes, aligned", () => {
    for (const file of filesIn(recording).filter((name) => name.endsWith(".safetensors"))) {
      const bytes = readFileSync(join(recording, file));
      const { tensors } = parseHeader(bytes, bytes.length, file);
      expect(bytes.readBigUInt64LE(0) % 8n, file).toBe(0n);
      expect(bytes[8]).toBe("{".charCodeAt(0));
      expect(tensors.size).toBeGreaterThan(0);
      for (const [name, { dtype, begin }] of tensors) {
        expect(begin % (dtype.bits / 8), `${name} in ${file}`).toBe(0);
      }
    }
  });

  test("keep the shapes, those of scalars and of tensors without elements too", async () => {
    const { weights } = await recordedRun(recording);
    const checkpoint = await openCheckpoint(weights);
    const shapes = Object.fromEntries([...checkpoint.tensors].map(([name, { shape }]) => [name, shape]));
    await checkpoint.close();
    const entries = Object.entries(trained.end).map(([name, { shape }]) => [name, shape]);
    expect(shapes).toEqual(Object.fromEntries(entries));
    expect([shapes.scale, shapes.empty, shapes["body.0.weight"]]).toEqual([[], [0, 7], [96, 24]]);
  });

  test("are found as a recorded run, strictly, where all parameters are fp32", async () => {
    const plain = join(folder, "plain");
    await train("train", plain, { steps: 2 });
    const opened = await openRecording({ ...(await recordedRun(plain)), strict: true });
    await opened.close();
    expect([opened.tensors.length, opened.stepNumbers, opened.skipped]).toEqual([11, [0, 1], []]);
    expect(opened.metadata.updates.get("run")).toBe("adamw");
  });

  test("SIGKILL at any moment leaves whole files, and all steps until then", async () => {
    const times = sized({ quick: 8, full: 25 });
    await train("kill", join(folder, "killed"), { times });
    const steps: number[] = [];
    let unfinished = 0;
    for (let i = 0; i < times; i++) {
      const killed = join(folder, "killed", String(i));
      const { updates, gradients } = await expectReadable(killed);
      // Gradients of a step are published just before its updates.
      expect([updates, updates + 1]).toContain(gradients);
      steps.push(updates);
      if (existsSync(killed)) unfinished += filesIn(killed).filter((name) => name.endsWith(".tmp")).length;
    }
    // The test tells something: most had recorded steps, not the same number, and some were in the midst of a file.
    expect(steps.filter((count) => count > 0).length).toBeGreaterThan(times / 2);
    expect(new Set(steps).size).toBeGreaterThan(3);
    expect(unfinished).toBeGreaterThan(0);
  }, 300_000);

  test("a full disk ends the recording, not the training", async () => {
    const full = join(folder, "full");
    const told = await train<{ end: State; expected: State; recorded: number[]; warnings: string[] }>(
      ...(["full", full, { limit: 20_000 }, { lenient: true }] as const),
    );
    expect(told.end).toEqual(told.expected);
    expect(told.recorded).toEqual([0, 1]);
    expect(told.warnings).toEqual([
      `precision-lens: the recording in ${full} ends at step 2: OSError(27, 'File too large')`,
    ]);
    expect(await expectReadable(full)).toEqual({ updates: 2, gradients: 0 });
    expect(filesIn(full).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(existsSync(join(full, "final.safetensors"))).toBe(false);
  });

  test("do not depend on where the copies are held", async () => {
    const [disk, cpu] = [join(folder, "disk"), join(folder, "cpu")];
    const { end } = await train("train", disk, { copies: "disk", lr: 0.1 });
    await train("train", cpu, { copies: "cpu", lr: 0.1 });
    expect(filesIn(disk)).toEqual(filesIn(cpu));
    for (const file of filesIn(disk)) {
      expect(readFileSync(join(disk, file)).equals(readFileSync(join(cpu, file))), file).toBe(true);
    }
    expect(bitsIn(join(disk, "final.safetensors"))).toEqual(bitsOf(end));
  });
});
