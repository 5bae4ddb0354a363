import { afterAll, describe, expect, test } from "vitest";
import { codeComparer } from "../../../src/lens/difference-codes.js";
import { InputError } from "../../../src/source/input-error.js";
import { fileIdentity } from "../../../src/source/pair/file-reader.js";
import type { RangePair } from "../../../src/source/pair/range.js";
import { inlinePerformer } from "../../../src/source/pair/tasks.js";
import { workerPool } from "../../../src/source/pair/worker-pool.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
// The built body of a thread: Node runs no TypeScript. `npm test` builds it first.
const built = new URL("../../../dist/cli/diff-worker.js", import.meta.url);
const pool = workerPool(built, 2);
const inline = inlinePerformer(codeComparer());
afterAll(() => Promise.all([pool.close(), inline.close()]));

const elements = 300_001;
const below = seeded(11);
const codes = Uint16Array.from({ length: elements }, () => below(2 ** 16));
const moved = codes.map((code) => (below(5) === 0 ? code + 1 : code));
const [before, after] = [codes, moved].map((of, i) =>
  fileIdentity(put(folder, `${i}`, new Uint8Array(of.buffer))),
);
const stored = (file: typeof before) => ({ file, position: 0, dtype: "BF16" });
const range: RangePair = { before: stored(before), after: stored(after), elements, compared: "bf16" };

describe("workerPool", () => {
  test("gives what is counted on this thread, task by task", async () => {
    const tasks = [1, 4096, 8192, elements].map((count) => ({
      kind: "compare" as const,
      range: { ...range, elements: count },
    }));
    const sample = { kind: "sample" as const, range: { ...range, elements: 65536 } };
    for (const performer of [pool, inline]) {
      const results = await Promise.all([...tasks, sample].map((task) => performer.perform(task)));
      expect(results).toEqual(await Promise.all([...tasks, sample].map((task) => inline.perform(task))));
      expect(results[3]).toMatchObject({ elements });
    }
  });

  test("a file that cannot be used is refused as on this thread, and the thread goes on", async () => {
    const older = { ...range, after: stored({ ...after, modified: after.modified - 1 }) };
    // Not the two paths that are open.
    const gone = { ...range, before: stored({ ...before, path: `${folder}/gone` }) };
    const fresh = workerPool(built, 1);
    for (const [bad, found] of [
      [older, /written to since/],
      [gone, /nothing there/],
    ] as const) {
      for (const performer of [fresh, inlinePerformer(codeComparer())]) {
        const error = await performer.perform({ kind: "compare", range: bad }).catch((thrown) => thrown);
        expect(error).toBeInstanceOf(InputError);
        expect(error.message).toMatch(found);
        expect(await performer.perform({ kind: "compare", range })).toMatchObject({ elements });
        if (performer !== fresh) await performer.close();
      }
    }
    await fresh.close();
  });

  test("a thread that ends with an error fails its tasks", async () => {
    const broken = workerPool(new URL("data:text/javascript,throw new Error('no such thread')"), 1);
    await expect(broken.perform({ kind: "compare", range })).rejects.toThrow("no such thread");
    await broken.close();
  });
});
