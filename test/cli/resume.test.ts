import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { sealed } from "../../src/source/resume-log.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, output, run } from "../support/cli.js";
import { float32 } from "../support/recorded.js";
import { expectResumes, type Work, workOf } from "../support/resume.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
/** Tensors of each side. */
const count = sized({ quick: 12, full: 80 });

/** Tensors whose comparison as fp16 takes a while: no fast twin rounds to it. */
function checkpoint(name: string, scale: number): string {
  const numbers = (tensor: number) =>
    Float32Array.from({ length: 50_000 }, (_, i) => scale + i * tensor * 1e-6);
  return put(
    folder,
    name,
    encodeSafetensors(Array.from({ length: count }, (_, i) => float32(`layers.${i}.w`, numbers(i)))),
  );
}

const pair = [checkpoint("before.safetensors", 1), checkpoint("after.safetensors", 1.001)];
const args = ["diff", ...pair, "--view", "fp16", "--quiet"];
let work: Work;
beforeAll(async () => {
  work = await workOf(args, folder);
});

describe("--resume", () => {
  test("ended at any moment, the run goes on from there and gives what an uninterrupted one gives", async () => {
    await expectResumes(work, join(folder, "out"), sized({ quick: 2, full: 14 }));
  });

  test("what was counted is not counted again, and a line that was cut off does not count", async () => {
    const lines = work.progress.split("\n");
    // A count that only the log can have put there.
    const [name, tally] = JSON.parse(lines[1].slice(lines[1].indexOf(" ")));
    lines[1] = sealed(lines[0], JSON.stringify([name, { ...tally, signFlips: 12345 }]));
    const log = put(folder, "cut", `${lines.slice(0, 2).join("\n")}\n0123456789abcdef ["layers.1.w",{"elem`);
    const { tensors } = JSON.parse(await output(...args, "--resume", log, "--json", "-"));
    const flips = tensors.map(({ signFlips }: { signFlips: number }) => signFlips);
    expect(flips).toEqual([12345, ...Array(count - 1).fill(0)]);
  });

  test("what is not as it was written is refused", async () => {
    const [head, first, ...rest] = work.progress.split("\n");
    for (const line of [first.replace(/\d(?=[^\d]*$)/, "7x"), first.slice(17), "null", "", `${first} `]) {
      const tampered = [head, line, ...rest].join("\n");
      const log = put(folder, "tampered", tampered);
      await expectRefusal(
        [...args, "--resume", log],
        log,
        "the progress that --resume saved",
        "something else",
      );
      expect(readFileSync(log, "utf8")).toBe(tampered);
    }
  });

  test("the progress of another run is refused and left as it is", async () => {
    const log = put(folder, "another", work.progress);
    const very = "the progress of this very run";
    await expectRefusal(
      ["diff", ...pair, "--view", "bf16", "--resume", log],
      log,
      very,
      "that of one with other settings",
    );
    const [before] = pair;
    const bytes = readFileSync(before);
    await sleep(10);
    writeFileSync(before, bytes);
    await expectRefusal(
      [...args, "--resume", log],
      log,
      very,
      `that of one in which ${JSON.stringify(before)} was another file, or had not been written to since`,
    );
    expect(readFileSync(log, "utf8")).toBe(work.progress);
  });

  test("counts of an older build, which lack those of bytes, are refused and left as they are", async () => {
    const [head, ...lines] = work.progress.split("\n").slice(0, -1);
    const oldHead = head.replace("precision-lens-resume/3", "precision-lens-resume/1");
    expect(oldHead).not.toBe(head);
    const old = lines.map((line) => {
      const [name, { bytesChanged, ...tally }] = JSON.parse(line.slice(line.indexOf(" ")));
      expect(bytesChanged).toBeTypeOf("number");
      return sealed(oldHead, JSON.stringify([name, tally]));
    });
    const text = `${[oldHead, ...old].join("\n")}\n`;
    const log = put(folder, "older", text);
    await expectRefusal(
      [...args, "--resume", log],
      log,
      'progress in the form "precision-lens-resume/3"',
      'that of another build, "precision-lens-resume/1"',
    );
    expect(readFileSync(log, "utf8")).toBe(text);
  });

  test("a line has these fields: the form's number goes up with any other", () => {
    const [head, first] = work.progress.split("\n");
    const [, tally] = JSON.parse(first.slice(first.indexOf(" ")));
    expect([JSON.parse(head).schema, Object.keys(tally).sort().join(" ")]).toEqual([
      "precision-lens-resume/3",
      "bytesChanged cast castBelowNormal castZero changedByScale codes codesChanged displacementSquared distances " +
        "elements hidden neverUpdated nonfinite nonfiniteChanged pathNotTaken scaleBytes scaleBytesChanged scales " +
        "scalesChanged signFlips smallSubnetworks unchanged",
    ]);
  });

  test.each(["", "progress\n", "null\n", '{"schema":"precision-lens/1"}\n'])(
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

  test("a weights file is never taken for it", async () => {
    const { status, stderr } = await run([...args, "--resume", pair[0]]);
    expect(status).toBe(2);
    expect(stderr).toContain("that of a safetensors file");
  });
});
