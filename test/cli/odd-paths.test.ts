import { execFileSync } from "node:child_process";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { put, temporaryFolder } from "../source/support.js";
import { run } from "../support/cli.js";
import { recorded } from "../support/recorded.js";

const folder = temporaryFolder();
const file = put(folder, "file", "no result");
const circle = join(folder, "circle");
const inFolder = join(folder, "folder");
mkdirSync(inFolder);
symlinkSync(circle, circle);

const base = recorded("base.safetensors");
const early = recorded("rlvr/early");

/** Paths that name no file, and what is said of them. */
const odd: readonly (readonly [what: string, path: string, found: RegExp])[] = [
  ["a folder", inFolder, /found (a folder|the name of|none|base)|found none of them|with neither/],
  ["a path through a file", join(file, "x"), /through a file|no such folder|found none/],
  ["links in a circle", circle, /found links that lead in a circle/],
  ["a path through them", join(circle, "x"), /found links that lead in a circle/],
  ["a name that is too long", join(folder, "x".repeat(300)), /found a name that is too long/],
  // Its temporary name is too long.
  ["a long name", join(folder, "x".repeat(250)), /found (a name that is too long|nothing there)/],
];

/** A code of the system, or the trace of an internal error. */
const leaks = /\bE[A-Z]{4,}\b|internal error|syscall|at .*:\d+:\d+/;

async function expectSentence(args: readonly string[], found: RegExp): Promise<void> {
  const { status, stdout, stderr } = await run(args);
  expect([status, stdout], stderr).toEqual([2, ""]);
  expect(stderr).toMatch(found);
  expect(stderr).toMatch(/^precision-lens: .*: expected .*, found .*\n$/);
  expect(stderr).not.toMatch(leaks);
}

describe.each(odd)("%s", (_, path, found) => {
  test.each([
    ["run", path],
    ["run", "--weights", path, "--updates", join(early, "updates.safetensors")],
    ["diff", path, base],
    ["inspect", path],
    ["report", path],
    ["merge", path, path],
    ["compare", path],
    ["check", path],
    ["vectors", "--verify", path],
  ])("is no input of %s %s", async (...args) => {
    await expectSentence(args, found);
  });

  const isFolder = path === inFolder;
  test.each([
    ["diff", base, base, "--quiet", "--json", path],
    ["explain", "1", "1", "--json", path],
    ["run", early, "--quiet", "--scheme", "master", "--write-weights", path],
    ["diff", base, base, "--quiet", "--resume", path],
    ["diff", base, recorded("rlvr/final-bf16.safetensors"), "--quiet", "--write-delta", path],
    ["vectors", "--format", "e2m1fn", "--from", "e2m1fn", "--out", path],
    ["serve", "--export", path],
  ])("is no output of %s", async (...args) => {
    await expectSentence(args, isFolder ? /the name of a file to write, found a folder/ : found);
  });
});

test.skipIf(process.platform !== "linux")("no files can be made in /proc, and no folders", async () => {
  const found =
    /found no (folder that takes files|permission to write it)|be writable, found one that is not/;
  await expectSentence(["explain", "1", "1", "--quiet", "--json", "/proc/none"], found);
  await expectSentence(["diff", base, base, "--quiet", "--svg", "/proc/none"], found);
  await expectSentence(["demo", "--quiet", "--write", "/proc/none"], found);
});

test.skipIf(process.platform !== "linux")("a full disk", async () => {
  await expectSentence(["explain", "1", "1", "--quiet", "--json", "/dev/full"], /found a full disk/);
});

test.skipIf(process.platform === "win32")("a pipe is not replaced by a file", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const found = /expected the name of a file to write, found a pipe, socket or device/;
  for (const args of [
    ["diff", base, base, "--quiet", "--resume", pipe],
    ["diff", base, recorded("rlvr/final-bf16.safetensors"), "--quiet", "--write-delta", pipe],
    ["run", early, "--quiet", "--resume", pipe],
    ["run", early, "--quiet", "--scheme", "master", "--write-weights", pipe],
  ]) {
    await expectSentence(args, found);
    expect(statSync(pipe).isFIFO()).toBe(true);
  }
});
