import { afterAll, describe, expect, test } from "vitest";
import { provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { codeComparer } from "../../../src/lens/difference/difference-codes.js";
import { ThreadEnded } from "../../../src/lens/thread-ended.js";
import { fileIdentity } from "../../../src/source/file-reader.js";
import { InputError } from "../../../src/source/input-error.js";
import type { RangePool } from "../../../src/source/pair/compare-pair.js";
import type { RangePair } from "../../../src/source/pair/range.js";
import { ThisThread } from "../../../src/source/pair/this-thread.js";
import { ThreadPool } from "../../../src/source/pair/thread-pool.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
// The built body of a thread: Node runs no TypeScript. `npm test` builds it first.
const built = new URL("../../../dist/cli/diff-worker.cjs", import.meta.url);
const kernel = await provenKernel();
const pool = started(2);

function started(threads: number): RangePool {
  const pool: RangePool = new ThreadPool(built, threads, 2);
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

describe("ThreadPool", () => {
  test("gives what is counted on this thread, range by range", async () => {
    const ranges = [1, 4096, 8192, elements].map((count) => ({ ...range, elements: count }));
    const tallies = await Promise.all(ranges.map((each) => pool.perform(each)));
    expect(tallies).toEqual(await Promise.all(ranges.map((each) => here.compare(each))));
    expect(tallies[3]).toMatchObject({ elements });
  });

  test("a file that cannot be used is refused as on this thread, and the thread goes on", async () => {
    const few = { ...range, elements: 8192 };
    const older = { ...range, after: stored({ ...after, id: `${after.id}, older` }) };
    // Not the two paths that are open.
    const gone = { ...range, before: stored({ ...before, path: `${folder}/gone` }) };
    const fresh = started(1);
    for (const [bad, found] of [
      [older, /written to since/],
      [gone, /nothing there/],
    ] as const) {
      const apart = new ThisThread(codeComparer());
      for (const compare of [
        (each: RangePair) => fresh.perform(each),
        (each: RangePair) => apart.compare(each),
      ]) {
        const error = await compare(bad).catch((thrown) => thrown);
        expect(error).toBeInstanceOf(InputError);
        expect(error.message).toMatch(found);
        expect(await compare(few)).toMatchObject({ elements: few.elements });
      }
    }
    await fresh.close();
  });

  test("a thread that ends without a word fails its ranges, those that wait and those to come", async () => {
    const silent = new ThreadPool(
      new URL("data:text/javascript,setTimeout(() => process.exit(0), 50)"),
      1,
      2,
    );
    const waiting = [silent.perform(range), silent.perform(range)];
    for (const each of waiting) await expect(each).rejects.toThrow(ThreadEnded);
    await expect(silent.perform(range)).rejects.toThrow("a thread ended before its work was done");
    await silent.close();
  });

  test("a thread that ends with an error fails its ranges", async () => {
    const broken = new ThreadPool(new URL("data:text/javascript,throw new Error('no such thread')"), 1, 2);
    await expect(broken.perform(range)).rejects.toThrow("no such thread");
    await broken.close();
  });
});
