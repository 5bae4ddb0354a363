import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { recorded } from "../support/recorded.js";

const folder = temporaryFolder();
/** Part of no path that is relative. */
const secret = join(recorded("rlvr/early"), "../../../..");

test.each<[string, string[]]>([
  ["run", ["run", recorded("rlvr/early")]],
  ["diff", ["diff", recorded("base.safetensors"), recorded("rlvr/final-bf16.safetensors")]],
  ["sweep", ["sweep", recorded("rlvr/early"), "--scale", "1"]],
  ["predict", ["predict", recorded("rlvr/early")]],
  ["inspect", ["inspect", recorded("base.safetensors")]],
  ["compare", ["compare", recorded("rlvr/early"), recorded("sft/early")]],
  ["simulate", ["simulate", "--weights", recorded("base.safetensors"), "--steps", "2"]],
])("what %s writes for others does not say where files lie on this machine", async (name, args) => {
  const out = (kind: string) => join(folder, `${name}.${kind}`);
  const shared = ["html", "markdown", "csv"].flatMap((kind) => [`--${kind}`, out(kind)]);
  await output(...args, ...shared, "--svg", out("svg"), "--json", out("json"), "--quiet");
  const svg = readdirSync(out("svg")).map((figure) => join(out("svg"), figure));
  for (const file of [...["html", "markdown", "csv"].map(out), ...svg]) {
    expect(readFileSync(file, "utf8").includes(secret), file).toBe(false);
  }
  // The command to run it again says where a path is shortened.
  const html = readFileSync(out("html"), "utf8");
  const [, command] = /again<\/h2>\s*<pre[^>]*>(.*?)<\/pre>/s.exec(html)!;
  for (const path of args.filter((word) => word.startsWith("/"))) {
    expect(command, path).toMatch(new RegExp(`…/(\\S+/)?${basename(path)}`));
  }
  expect(html).toContain("put the beginning in place of …/");
  // The result itself keeps what it was given, and so do reports that are rendered from it later.
  expect(readFileSync(out("json"), "utf8")).toContain(secret);
  const again = join(folder, "again.html");
  await output("report", out("json"), "--html", again, "--quiet");
  expect(readFileSync(again, "utf8")).toBe(readFileSync(out("html"), "utf8"));
});
