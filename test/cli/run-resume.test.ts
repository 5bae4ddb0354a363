import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { sealed } from "../../src/source/resume-log.js";
import { put, seeded, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { float32, recorded, writeExcerpt, writeRun } from "../support/recorded.js";
import { expectResumes, type Work, workOf } from "../support/resume.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const below = seeded(11);
const steps = 16;
const numbers = (length: number, scale: number) =>
  Float32Array.from({ length }, () => (below(20_001) - 10_000) * scale);

const grid = [
  ...["--format", "bf16", "--scheme", "in-place,master,kahan,two-term"],
  ...["--rounding", "nearest-even,stochastic", "--quiet"],
];
/**
 * 8 cases of 16 steps, and parts of 2^25 updates: one of 2^18 weights has no room beside it, two of the long tensors do not
 * go into one, short ones do.
 */
const long = 2 ** 17 + 1;
const lengths = sized({
  quick: [777, 5000, 2 ** 18, 4097, 999],
  full: [long, long + 999, 777, long, 5000, 4097, long, long, long + 4096, long, long],
});
let path: string;
let args: readonly string[];
let work: Work;
beforeAll(async () => {
  const weights = lengths.map((length, i) => float32(`layers.${i}.w`, numbers(length, 2e-6)));
  const updates = Array.from({ length: steps }, (_, step) =>
    lengths.map((length, i) => float32(`step${step + 1}/layers.${i}.w`, numbers(length, 1e-10))),
  );
  path = await writeRun(join(folder, "run"), weights, updates.flat());
  args = ["run", path, ...grid];
  work = await workOf(args, folder);
});

describe("run --resume", () => {
  test("ended at any moment, the run goes on from there and gives what an uninterrupted one gives", async () => {
    await expectResumes(work, join(folder, "out"), sized({ quick: 2, full: 16 }));
  });

  test("other threads may go on; what was counted is not counted again", async () => {
    const [head, first] = work.progress.split("\n");
    const [name, part] = JSON.parse(first.slice(first.indexOf(" ")));
    // A count that only the log can have put there.
    part.cases[5].tensors[0].end.returned = 54321;
    const forged = sealed(head, JSON.stringify([name, part]));
    const log = put(folder, "threads", `${head}\n${forged}\n0123456789abcdef ["layers.3.w",{"cas`);
    const { cases } = JSON.parse(await output(...args, "--threads", "1", "--resume", log, "--json", "-"));
    const expected = JSON.parse(work.whole).cases;
    const returned = expected[5].tensors[0].end.returned;
    expected[5].tensors[0].end.returned = 54321;
    expected[5].end.returned += 54321 - returned;
    expect(cases).toEqual(expected);
  });

  test("a line has these fields: the form's number goes up with any other", () => {
    const [head, first] = work.progress.split("\n");
    const [, { cases, ...rest }] = JSON.parse(first.slice(first.indexOf(" ")));
    const fields = (object: object) => Object.keys(object).sort().join(" ");
    const [{ totals, end, tensors, ...caseResult }] = cases;
    expect(JSON.parse(head).schema).toBe("precision-lens-resume/3");
    expect(fields(rest)).toBe("handedOver");
    expect(fields(caseResult)).toBe(
      "causes curve format histogram moments opmath probes recipe rounding scheme steps",
    );
    expect(fields(tensors[0])).toBe("causes end histogram moments name probes shape totals");
    expect(fields(totals)).toBe(
      "apparentSparsity castChanged collateral effectiveDescent effectiveNorm elements hiddenShare kept lost moved none " +
        "nonfinite realSparsity steps sums updateNorm zeros",
    );
    expect(fields(end)).toBe(
      "cancelled hidden neverUpdated noise noiseToWeight nonfinite parted retained returned sums unchanged visible",
    );
    expect(fields(end.sums)).toBe("displacementSquared noiseSquared product retainedProduct weightSquared");
  });

  test("the progress of another run is refused and left as it is", async () => {
    const log = put(folder, "another", work.progress);
    const very = "the progress of this very run";
    const other = "that of one with other settings";
    await expectRefusal([...args, "--opmath", "exact", "--resume", log], log, very, other);
    await expectRefusal([...args, "--seed", "1", "--resume", log], log, very, other);
    await expectRefusal(["run", path, "--quiet", "--resume", log], log, very, other);
    await expectRefusal(["run", recorded("rlvr/early"), ...grid, "--resume", log], log, very, other);
    const diff = ["diff", path, path, "--quiet", "--resume", log];
    await expectRefusal(diff, log, very, 'that of the command "run"');
    const updates = join(path, "updates.safetensors");
    const bytes = readFileSync(updates);
    await sleep(10);
    writeFileSync(updates, bytes);
    const changed = `that of one in which ${JSON.stringify(updates)} was another file, or had not been written to since`;
    await expectRefusal([...args, "--resume", log], log, very, changed);
    expect(readFileSync(log, "utf8")).toBe(work.progress);
  });

  test("computed updates are resumed too", async () => {
    const log = join(folder, "recipes");
    const trained = sized({
      quick: await writeExcerpt(join(folder, "excerpt"), "rlvr/early", (i) => i < 5),
      full: recorded("rlvr/early"),
    });
    const recipes = ["run", trained, "--optimizer", "adamw", "--lr", "1e-5", "--quiet"];
    const once = await output(...recipes, "--json", "-");
    expect(await output(...recipes, "--resume", log, "--json", "-")).toBe(once);
    expect(existsSync(log)).toBe(false);
  });

  test.each(["", "progress\n", "null\n", "[]\n", '{"schema":"precision-lens/1"}\n', "\0\0\0\0\n"])(
    "%j is no progress",
    async (text) => {
      const log = put(folder, "no progress", text);
      await expectRefusal(
        [...args, "--resume", log],
        log,
        "the progress that --resume saved",
        "something else",
      );
      expect(readFileSync(log, "utf8")).toBe(text);
    },
  );

  test("weights cannot be written of a run that may have been ended before", async () => {
    const message = "error: --resume keeps counts, not weights: it does not go with --write-weights";
    await expectUsageError(
      ["run", path, "--resume", "p", "--write-weights", "w.safetensors", "--scheme", "master"],
      message,
    );
  });
});
