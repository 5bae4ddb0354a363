import { createHash } from "node:crypto";
import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { temporaryFolder } from "../source/support.js";
import { output, run } from "../support/cli.js";
import { float32, recorded, writeRun } from "../support/recorded.js";

/** Outputs onto the files that a command has opened, by every way that leads there. */
const folder = temporaryFolder();
let made = 0;

/** A new folder with a run whose base is two shards with an index, updates, a tuned checkpoint and a saved result. */
async function inputs(): Promise<string> {
  made += 1;
  const path = await writeRun(
    join(folder, `${made}`),
    [],
    [float32("step0/a", [1e-3, 1]), float32("step0/b", [1])],
  );
  const [a, b] = [float32("a", [1, 2]), float32("b", [0.5])];
  writeFileSync(join(path, "shard-1.safetensors"), encodeSafetensors([a]));
  writeFileSync(join(path, "shard-2.safetensors"), encodeSafetensors([b]));
  const index = { weight_map: { a: "shard-1.safetensors", b: "shard-2.safetensors" } };
  // Not a name by which outputs are refused anyway.
  writeFileSync(join(path, "weights.json"), JSON.stringify(index));
  writeFileSync(join(path, "tuned.safetensors"), encodeSafetensors([a, float32("b", [0.25])]));
  const saved = join(path, "result.json");
  await output(
    "run",
    "--weights",
    join(path, "weights.json"),
    "--updates",
    join(path, "updates.safetensors"),
    "--quiet",
    "--json",
    saved,
  );
  return path;
}

const digests = (path: string) =>
  Object.fromEntries(
    readdirSync(path, { withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ name }) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(path, name)))
          .digest("hex"),
      ]),
  );

/** What names a file in another way; gives the name. */
const ways: readonly [string, (file: string) => string][] = [
  ["its own path", (file) => file],
  ["a path relative to here", (file) => relative(process.cwd(), file)],
  [
    "a path with detours",
    (file) => join(file, "..").concat("/../", basename(join(file, "..")), "/", basename(file)),
  ],
  ["a hard link", (file) => linked(linkSync, file)],
  ["a symbolic link", (file) => linked(symlinkSync, file)],
  [
    "a folder that is a link",
    (file) => {
      const link = join(folder, `link-${made}-${basename(file)}-folder`);
      symlinkSync(join(file, ".."), link);
      return join(link, basename(file));
    },
  ],
];

function linked(link: (from: string, to: string) => void, file: string): string {
  const to = join(folder, `${link.name}-${made}-${basename(file)}`);
  link(file, to);
  return to;
}

async function expectRefused(path: string, args: readonly string[]): Promise<void> {
  const before = digests(path);
  const { status, stdout, stderr } = await run([...args, "--quiet"]);
  expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(
    /^precision-lens: .*: expected another file than the inputs, found the input ".*"\n$/,
  );
  expect(digests(path)).toEqual(before);
}

describe.each(ways)("an input by %s", (_, named) => {
  test("takes no weights: a shard that an index leads to, the updates", async () => {
    const path = await inputs();
    const words = [
      "run",
      "--weights",
      join(path, "weights.json"),
      "--updates",
      join(path, "updates.safetensors"),
    ];
    for (const input of ["shard-2.safetensors", "updates.safetensors"]) {
      const onto = named(join(path, input));
      await expectRefused(path, [...words, "--scheme", "in-place", "--write-weights", onto]);
    }
  });

  test("takes no rendering and no progress: an index, a saved result", async () => {
    const path = await inputs();
    const index = join(path, "weights.json");
    const onto = named(index);
    const words = ["run", "--weights", index, "--updates", join(path, "updates.safetensors")];
    for (const option of ["--json", "--html", "--resume"])
      await expectRefused(path, [...words, option, onto]);
    const diff = ["diff", index, join(path, "tuned.safetensors")];
    for (const option of ["--csv", "--resume"]) await expectRefused(path, [...diff, option, onto]);
    await expectRefused(path, ["simulate", "--weights", index, "--steps", "1", "--markdown", onto]);
    await expectRefused(path, ["sweep", "--weights", index, "--steps", "1", "--json", onto]);
    await expectRefused(path, ["predict", "--weights", index, "--steps", "2", "--json", onto]);
    const saved = join(path, "result.json");
    await expectRefused(path, ["report", saved, "--json", named(saved)]);
  });
});

test("a figure takes the place of no input, though figures that are there are replaced", async () => {
  const path = await inputs();
  const slides = join(path, "slides");
  const words = ["report", join(path, "result.json"), "--svg", slides];
  expect(await output(...words, "--quiet")).toBe("");
  expect(await output(...words, "--quiet")).toBe("");
  const [figure] = readdirSync(slides);
  const odd = join(folder, `odd-${made}`);
  mkdirSync(odd);
  cpSync(join(path, "result.json"), join(odd, figure));
  const { status, stderr } = await run(["report", join(odd, figure), "--svg", odd, "--quiet"]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/expected another file than the inputs/);
  expect(digests(odd)).toEqual({ [figure]: digests(path)["result.json"] });
});

test("two outputs are two files", async () => {
  const path = await inputs();
  const there = join(path, "there.json");
  writeFileSync(there, "as it was");
  const link = linked(linkSync, there);
  const words = ["run", recorded("rlvr/early"), "--quiet"];
  const clash = async (...outputs: string[]) => {
    const { status, stderr } = await run([...words, ...outputs]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/: expected a file of its own for each output, found the same file as "/),
    });
  };
  await clash("--json", there, "--csv", link);
  await clash("--json", join(path, "new"), "--csv", `${path}/./new`);
  await clash("--json", join(path, "new"), "--resume", `${path}/../${made}/new`);
  expect(readFileSync(there, "utf8")).toBe("as it was");
});

test("a word that begins with a dash is no name of a file", async () => {
  for (const [command, option] of [
    ["run", "--json"],
    ["diff", "--csv"],
    ["run", "--write-weights"],
    ["simulate", "--svg"],
    ["explain", "--json"],
    ["serve", "--export"],
    ["run", "--updates"],
  ]) {
    const { status, stdout, stderr } = await run([command, option, "-x"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /^error: option '--.*' expects a name, found '-x' \(\.\/-x is a file of that name\)\n/,
    );
  }
  const args = ["explain", "-0.02", "-1e-6", "--json", "-"];
  expect((await run(args)).status).toBe(0);
});
