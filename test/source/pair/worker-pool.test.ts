import { afterAll, describe, expect, test } from "vitest";
import { provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { codeComparer } from "../../../src/lens/difference/difference-codes.js";
import { ThreadEnded } from "../../../src/lens/thread-ended.js";
import { fileIdentity } from "../../../src/source/file-reader.js";
import { InputError } from "../../../src/source/input-error.js";
import type { RangePair } from "../../../src/source/pair/range.js";
import { ThisThread } from "../../../src/source/pair/this-thread.js";
import { WorkerPool } from "../../../src/source/pair/worker-pool.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
// The built body of a thread: Node runs no TypeScript. `npm test` builds it first.
const built = new URL("../../../dist/cli/diff-worker.cjs", import.meta.url);
const kernel = await provenKernel();
const pool = started(2);

function started(threads: number): WorkerPool {
  const pool = new WorkerPool(built, threads);
  pool.prepare(kernel);
  return pool;
}

const here = new ThisThread(codeComparer());
afterAll(async () => {
  here.close();
  await pool.close();
});

const elements = 300_001;
const below = seeded(11);
const codes = Uint16Array.from({ length: elements }, () => below(2 ** 16));
const moved = codes.map((code) => (below(5) === 0 ? code + 1 : code));
const [before, after] = [codes, moved].map((content, i) =>
  fileIdentity(put(folder, `${i}`, new Uint8Array(content.buffer))),
);
const stored = (file: typeof before) => ({ file, position: 0, dtype: "BF16" });
const range: RangePair = { before: stored(before), after: stored(after), elements, compared: "bf16" };

describe("WorkerPool", () => {
  test("gives what is counted on this thread, range by range", async () => {
    const ranges = [1, 4096, 8192, elements].map((count) => ({ ...range, elements: count }));
    const tallies = await Promise.all(ranges.map((each) => pool.compare(each)));
    expect(tallies).toEqual(await Promise.all(ranges.map((each) => here.compare(each))));
    expect(tallies[3]).toMatchObject({ elements });
  });

  test("a file that cannot be used is refused as on this thread, and the thread goes on", async () => {
    const few = { ...range, elements: 8192 };
    const older = { ...range, after: stored({ ...after, modified: after.modified - 1 }) };
    // Not the two paths that are open.
    const gone = { ...range, before: stored({ ...before, path: `${folder}/gone` }) };
    const fresh = started(1);
    for (const [bad, found] of [
      [older, /written to since/],
      [gone, /nothing there/],
    ] as const) {
      for (const thread of [fresh, new ThisThread(codeComparer())]) {
        const error = await thread.compare(bad).catch((thrown) => thrown);
        expect(error).toBeInstanceOf(InputError);
        expect(error.message).toMatch(found);
        expect(await thread.compare(few)).toMatchObject({ elements: few.elements });
      }
    }
    await fresh.close();
  });

  test("a thread that ends without a word fails its ranges, those that wait and those to come", async () => {
    const silent = new WorkerPool(new URL("data:text/javascript,setTimeout(() => process.exit(0), 50)"), 1);
    const waiting = [silent.compare(range), silent.compare(range)];
    for (const each of waiting) await expect(each).rejects.toThrow(ThreadEnded);
    await expect(silent.compare(range)).rejects.toThrow("a thread ended before its work was done");
    await silent.close();
  });

  test("a thread that ends with an error fails its ranges", async () => {
    const broken = new WorkerPool(new URL("data:text/javascript,throw new Error('no such thread')"), 1);
    await expect(broken.compare(range)).rejects.toThrow("no such thread");
    await broken.close();
  });
});
