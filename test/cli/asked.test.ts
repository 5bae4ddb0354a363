/** Questions of public threads that come down to small inputs, each answered by a command and by a plain loop here. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { Result } from "../../src/lens/run/result.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { put, seeded, temporaryFolder } from "../source/support.js";
import { output, run } from "../support/cli.js";

const folder = temporaryFolder();
const below = seeded(41);
const elements = 3000;

const tensor = (name: string, dtype: string, data: Uint16Array | Float32Array): TensorToWrite => ({
  name,
  dtype,
  shape: [data.length],
  data,
});
const file = (name: string, ...tensors: TensorToWrite[]) => put(folder, name, encodeSafetensors(tensors));

/** A number of fp32 as a code of bf16, to nearest-even. Valid for finite numbers. */
function bfloat16(x: number): number {
  const [word] = new Uint32Array(Float32Array.of(x).buffer);
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
const numberOf = (code: number) => new Float32Array(Uint32Array.of(code << 16).buffer)[0];

const weights = Uint16Array.from({ length: elements }, () =>
  bfloat16((below(2 ** 20) / 2 ** 20 - 0.5) * 0.1),
);

async function json<Of>(...args: string[]): Promise<Of> {
  return JSON.parse(await output(...args, "--quiet", "--json", "-"));
}

test("a bf16 base against the fp32 master of its run: what bf16 hides of it", async () => {
  const master = Float32Array.from(
    weights,
    (code, i) => numberOf(code) + (i % 3 === 0 ? 0 : 1e-6 * (below(100) - 50)),
  );
  const paths = [
    file("base.safetensors", tensor("w", "BF16", weights)),
    file("m.safetensors", tensor("w", "F32", master)),
  ];
  const { totals } = await json<DifferenceResult>("diff", ...paths, "--view", "bf16");
  const same = [...master].filter((x, i) => bfloat16(x) === weights[i] && x !== 0);
  const hidden = [...master].filter((x, i) => bfloat16(x) === weights[i] && x !== numberOf(weights[i]));
  expect(totals).toMatchObject({ unchanged: same.length, hidden: hidden.length });
  expect(hidden.length).toBeGreaterThan(1000);
});

test("a bf16 base against a model saved as fp16: refused with the way out, and counted in bf16", async () => {
  // Powers of two times small whole numbers: fp16 and bf16 both have them.
  const codes = Uint16Array.from({ length: 200 }, (_, i) => 0x3c00 + (i % 5) * 0x40);
  const half = Uint16Array.from(codes, (_, i) => 0x2000 + (i % 5) * 0x200 + (i % 4 === 0 ? 1 : 0));
  const paths = [
    file("b.safetensors", tensor("w", "BF16", codes)),
    file("h.safetensors", tensor("w", "F16", half)),
  ];
  const { status, stderr } = await run(["diff", ...paths]);
  expect(status).toBe(2);
  expect(stderr).toContain("neither holds all numbers of the other: --view names a format to compare in");
  // fp16: 2^(field - 15) (1 + fraction / 1024).
  const ofHalf = (code: number) => 2 ** ((code >> 10) - 15) * (1 + (code & 1023) / 1024);
  const unchanged = [...half].filter((code, i) => bfloat16(ofHalf(code)) === codes[i]).length;
  const { totals } = await json<DifferenceResult>("diff", ...paths, "--view", "bf16");
  expect(totals.unchanged).toBe(unchanged);
  expect(unchanged).toBeGreaterThan(0);
});

test("a master whose bf16 view is rounded half away, as a store of remainders does: ties go up, not to even", async () => {
  // Even and odd codes, each with a tie above it and with a little less.
  const codes = Uint16Array.of(0x3f80, 0x3f81, 0x3f80, 0x3f81, 0x3f82, 0x3f83);
  const updates = Float32Array.of(2 ** -8, 2 ** -8, 2 ** -8 - 2 ** -20, 2 ** -8 - 2 ** -20, 2 ** -8, 2 ** -8);
  const paths = [
    file("ties.safetensors", tensor("w", "BF16", codes)),
    file("updates.safetensors", tensor("step0/w", "F32", updates)),
  ];
  const { cases } = await json<Result>(
    ...["run", "--weights", paths[0], "--updates", paths[1], "--scheme", "master"],
    ...["--rounding", "nearest-even,nearest-away"],
  );
  // To even: the ties of 0x3f81 and 0x3f83. Away: all four ties.
  expect(cases.map(({ totals }) => totals.moved)).toEqual([2, 4]);
});

test("weight decay of .01 at a rate of 1e-4 does nothing to bf16 weights in place, and all of it in fp32", async () => {
  const recording = join(folder, "RUN");
  mkdirSync(recording);
  const zeros = new Float32Array(elements);
  put(
    recording,
    "base.safetensors",
    encodeSafetensors([
      tensor(
        "w",
        "BF16",
        weights.map((code) => code | 1),
      ),
    ]),
  );
  put(
    recording,
    "gradients.safetensors",
    encodeSafetensors([0, 1].map((step) => tensor(`step${step}/w`, "F32", zeros))),
  );
  const { cases } = await json<Result>(
    ...["run", recording, "--optimizer", "adamw", "--lr", "1e-4", "--weight-decay", "0.01"],
    ...["--recipe", "torch-2.13-cpu-for-loop,torch-2.13-cpu-fused,fp32"],
  );
  expect(cases.map(({ totals }) => totals.moved)).toEqual([0, 0, 2 * elements]);
});
