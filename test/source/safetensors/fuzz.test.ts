import { rmSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { TensorInput } from "../../../src/lens/input.js";
import { openCheckpoint } from "../../../src/source/checkpoint.js";
import { InputError } from "../../../src/source/input-error.js";
import { openRecording } from "../../../src/source/recording.js";
import { openSafetensors, type Safetensors } from "../../../src/source/safetensors/stored-tensor.js";
import { encodeSafetensors } from "../../../src/source/safetensors/write.js";
import { sized } from "../../support/tier.js";
import { memorySource, put, rawFile, seeded, temporaryFolder } from "../support.js";

const random = seeded(20251);
const folder = temporaryFolder();
const pick = <T>(from: readonly T[]): T => from[random(from.length)];

const bytes = (count: number) => Uint8Array.from({ length: count }, () => random(256));
const tensor = (name: string, dtype: string, shape: number[], width: number) => {
  const elements = shape.reduce((product, size) => product * size, 1);
  return { name, dtype, shape, data: bytes(elements * width) };
};

const weights = [tensor("w", "BF16", [3, 2], 2), tensor("x.0", "F32", [], 4)];
/** Valid files: all that is read, some that is not, and the updates of a run. */
const valid: readonly Uint8Array[] = [
  encodeSafetensors([tensor("w", "F32", [2, 3], 4)]),
  encodeSafetensors(
    [
      tensor("a", "F64", [2], 8),
      tensor("b", "F32", [1, 3], 4),
      tensor("c", "F16", [5], 2),
      tensor("d", "BF16", [2, 2], 2),
      tensor("e", "F8_E4M3", [7], 1),
      tensor("f", "F8_E5M2", [0, 4], 1),
      tensor("g", "I64", [], 8),
      tensor("h", "F4", [2, 3], 0.5),
    ],
    { lr: "1e-5", betas: "0.9,0.95" },
  ),
  encodeSafetensors(
    ["step0/", "step1/"].flatMap((step) => [
      tensor(`${step}w`, "F32", [3, 2], 4),
      tensor(`${step}x.0`, "F32", [], 4),
    ]),
    { run: "fuzz" },
  ),
];

function headerOf(file: Uint8Array): string {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  return new TextDecoder().decode(file.subarray(8, 8 + length));
}

/** Puts other bytes in the place of some. */
function splice(file: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  return Uint8Array.from([...file.subarray(0, at), ...insert, ...file.subarray(at + remove)]);
}

const byteEdits: readonly ((file: Uint8Array) => Uint8Array)[] = [
  (file) => {
    const at = random(file.length);
    return splice(file, at, 1, Uint8Array.of(file[at] ^ (1 << random(8))));
  },
  (file) => file.slice(0, random(file.length + 1)),
  (file) => splice(file, random(file.length), 0, bytes(1 + random(9))),
  (file) => splice(file, random(file.length), 1 + random(9), new Uint8Array()),
  (file) => splice(file, random(8), 1, bytes(1)),
  (file) => splice(file, 0, 8, new Uint8Array(BigUint64Array.of(pick(lengths)).buffer)),
  (file) => splice(file, 0, 1, Uint8Array.of(file[0] + random(5) - 2)),
];
const lengths = [0n, 1n, 2n, 8n, 100_000_000n, 100_000_001n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const numbers = ["0", "1", "-1", "0.5", "1e3", "-0", "4294967296", "9007199254740991", "9007199254740992"];
const words = [...numbers, "1e999", "null", "true", '"1"', "[]", "{}", "[[", "NaN", `${"9".repeat(400)}`];
const strings = [
  "F32",
  "F64",
  "F4",
  "BOOL",
  "F99",
  "__proto__",
  "__metadata__",
  "dtype",
  "step1/w",
  "step01/w",
];
const awkward = [...strings, "\\u0061", "\\ud800", "\\n\\u001b[2J", "\\x", "", "n".repeat(300), "é\u202e"];

/** Edits of the header's text that leave its length true, so that what lies behind the first checks is met. */
const textEdits: readonly ((text: string) => string)[] = [
  (text) => text.replace(nth(text, /\d+/g), () => pick(words)),
  (text) => text.replace(nth(text, /\d+/g), (number) => String(Math.max(0, Number(number) + random(9) - 4))),
  (text) => text.replace(nth(text, /\[\d+,\d+\]/g), (pair) => `[${pair.slice(1, -1).split(",").reverse()}]`),
  (text) => text.replace(nth(text, /\[[^\]]*\]/g), () => nth(text, /\[[^\]]*\]/g)),
  (text) => text.replace(nth(text, /"[^"]*"/g), () => `"${pick(awkward)}"`),
  (text) => text.replace(nth(text, /"[^"]*"/g), () => nth(text, /"[^"]*"/g)),
  // An entry twice, a field twice, a field gone.
  (text) => text.replace(nth(text, /"[^"]*":\{"dtype[^}]*\}/g), (found) => `${found},${found}`),
  (text) =>
    text.replace(nth(text, /"(dtype|shape|lr)":("[^"]*"|\[[^\]]*\])/g), (found) => `${found},${found}`),
  (text) => text.replace(nth(text, /"(dtype|shape)":("[^"]*"|\[[^\]]*\]),/g), ""),
  (text) => text.replace(nth(text, /[[\]{},:"]/g), () => pick(["[", "]", "{", "}", ",", ":", '"', " "])),
  (text) => text.replace(nth(text, /[[\]{},:"]/g), (sign) => sign.repeat(2 + random(100))),
  (text) => text.replace(nth(text, /[{,]/g), (sign) => `${sign}"k":${pick(words)},`),
];

/** One of the matches, so that `replace` edits the first place that reads like it; empty if there is none. */
function nth(text: string, pattern: RegExp): string {
  const matches = text.match(pattern);
  return matches === null ? "" : pick(matches);
}

function mutate(file: Uint8Array): Uint8Array {
  let mutated = file;
  if (random(3) > 0) {
    let text = headerOf(file);
    const dataBytes = file.length - 8 - new TextEncoder().encode(text).length;
    for (let edits = 1 + random(2); edits > 0; edits--) text = pick(textEdits)(text);
    mutated = rawFile(text, dataBytes);
  }
  return mutated === file || random(8) === 0 ? pick(byteEdits)(mutated) : mutated;
}

async function readTensors({ tensors }: Pick<Safetensors, "tensors">): Promise<void> {
  for (const { values } of tensors.values()) {
    if (values !== null) await values.read(0, new Float64Array(values.length));
  }
}

async function readInputs(tensors: readonly TensorInput[]): Promise<void> {
  for (const { weights, updates } of tensors) {
    await weights.read(0, new Float64Array(weights.length));
    for (const values of updates) await values.read(0, new Float32Array(values.length));
  }
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Of so many files one is read from a disk as a checkpoint, and one as the updates of a run. */
const oneOnDisk = sized({ quick: 100, full: 20 });

/** In a file of its own: file systems take milliseconds to write over one that is there. */
function onDisk(i: number, file: Uint8Array): string {
  rmSync(join(folder, `${i - oneOnDisk}.safetensors`), { force: true });
  return put(folder, `${i}.safetensors`, file);
}

/** One line of fewer than 2,000 characters, none of them a control. */
function isSentence(message: string): boolean {
  return (
    /^[^\n]+: expected .+, found .+$/.test(message) &&
    !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(message) &&
    message.length < 2000
  );
}

const files = sized({ quick: 8000, full: 20_000 });

test(`${files} damaged files open and read, or are refused in one sentence`, {
  timeout: 30_000,
}, async () => {
  const good = put(folder, "weights.safetensors", encodeSafetensors(weights));
  const before = bytesInUse();
  const residentBefore = process.memoryUsage().rss;
  let most = before;
  let mostResident = residentBefore;
  let slowest = 0;
  let opened = 0;
  const refusals = new Set<string>();
  for (let i = 0; i < files; i++) {
    const file = mutate(pick(valid));
    const start = performance.now();
    try {
      if (i % oneOnDisk === 0) {
        const checkpoint = await openCheckpoint(onDisk(i, file));
        await readTensors(checkpoint).finally(checkpoint.close);
      } else if (i % oneOnDisk === 1) {
        const path = onDisk(i, file);
        const recording = await openRecording({ weights: good, updates: path, strict: random(2) === 0 });
        await readInputs(recording.tensors).finally(recording.close);
      } else {
        await readTensors(await openSafetensors(memorySource("m", file)));
      }
      opened++;
    } catch (error) {
      if (!(error instanceof InputError)) throw new Error(`file ${i} of the seed`, { cause: error });
      // An expect for each would take longer than to open the files.
      if (!isSentence(error.message)) expect.fail(`file ${i} of the seed: ${JSON.stringify(error.message)}`);
      refusals.add(error.message.replace(/^.*?: |"([^"\\]|\\.)*"|-?\d+(\.\d+)?(e\+?\d+)?|\[[\d, ]*\]/g, "#"));
    }
    slowest = Math.max(slowest, performance.now() - start);
    if (i % 100 === 0) mostResident = Math.max(mostResident, process.memoryUsage().rss);
    if (i % 1000 === 999) most = Math.max(most, bytesInUse());
  }
  expect(most - before).toBeLessThan(8 * 2 ** 20);
  expect(mostResident - residentBefore).toBeLessThan(64 * 2 ** 20);
  expect(slowest).toBeLessThan(2000);
  // The damage neither spares everything nor always meets the first check.
  expect(opened).toBeGreaterThan(files / 20);
  expect(opened).toBeLessThan(files / 2);
  expect(refusals.size).toBeGreaterThan(40);
});
