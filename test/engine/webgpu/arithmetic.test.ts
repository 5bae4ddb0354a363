import { afterAll, beforeAll, it } from "vitest";
import { bindings, type Device, openDevice } from "../../../src/engine/webgpu/device.js";
import { sharedText } from "../../../src/engine/webgpu/kernels/shared.js";
import { parameterNames } from "../../../src/engine/webgpu/layout.js";
import { fp32Text } from "../../../src/engine/webgpu/wgsl/fp32.js";
import { fp64Text } from "../../../src/engine/webgpu/wgsl/fp64.js";
import { blockFormats } from "../../../src/format/block/block-format.js";
import { decodeTable } from "../../../src/format/encode.js";
import { fma } from "../../../src/format/operations.js";
import { format } from "../../../src/format/registry.js";
import { random32 } from "../../support/bits.js";
import { prepareDawn } from "../../support/dawn.js";
import { Mismatches } from "../../support/mismatches.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { sized } from "../../support/tier.js";

const fp32 = format("fp32");
const { fround } = Math;

/** Each against the machine's own fp64 and Math.fround, which round +, -, *, / and sqrt of fp32 numbers once. */
const operations: readonly [
  text: string,
  operation: (a: number, b: number, c: number, word: number) => number,
][] = [
  ["add32(a, b)", (a, b) => fround(a + b)],
  ["mul32(a, b)", (a, b) => fround(a * b)],
  ["div32(a, b)", (a, b) => fround(a / b)],
  ["sqrt32(a)", (a) => fround(Math.sqrt(a))],
  ["fma32(a, b, c)", (a, b, c) => fma(a, b, c, fp32)],
  ["scale32(a, 0x20000000u)", (a) => fround(a * 2 ** -63)],
  ["scale32(a, 0x5f000000u)", (a) => fround(a * 2 ** 63)],
  ["min32(a, b)", (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.min(a, b))],
  ["max32(a, b)", (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b))],
  ["select(0u, 0x3f800000u, lt32(a, b))", (a, b) => Number(a < b)],
  ["select(0u, 0x3f800000u, eq32(a, b))", (a, b) => Number(a === b)],
  ["floor32(whole)", (_, __, ___, a) => Math.floor(wholeOf(a))],
  ["nearest32(whole)", (_, __, ___, a) => nearest(wholeOf(a))],
  ["convert32(truncate32(whole))", (_, __, ___, a) => Math.floor(wholeOf(a))],
];

/** A number from 2^-7 to 2^24 with the significand of another one, by its bits. */
function wholeOf(x: number): number {
  words[0] = (x & 0x007fffff) | ((120 + ((x >>> 24) % 31)) << 23);
  return bits[0];
}
const wholeText = "let whole = (a & 0x007fffffu) | ((120u + (a >> 24u) % 31u) << 23u);";
const bits = new Float32Array(1);
const words = new Uint32Array(bits.buffer);

function nearest(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2) : Math.round(x);
}

describeNeeding(requirements.vulkan, "arithmetic in WGSL on integers", () => {
  let device: Device;
  beforeAll(async () => {
    prepareDawn();
    device = await openDevice();
  });
  afterAll(() => device.destroy());

  /** What a text makes of each three words. */
  async function computed(text: string, input: Uint32Array, more = ""): Promise<Uint32Array> {
    const n = input.length / 3;
    const code = `struct Params { ${parameterNames.map((name) => `${name}: u32`).join(", ")} }
${bindings}${fp32Text}${fp64Text}${more}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let i = id.x;
let a = constants[3u * i]; let b = constants[3u * i + 1u]; let c = constants[3u * i + 2u];
${wholeText}
updates[i] = ${text};
}`;
    await device.compile([code]);
    const buffers = [input.length, n, 4, 4, 4].map((length) => device.buffer(length));
    const [constants, updates, fp32, state, counts] = buffers;
    device.write(constants, input);
    const parameters = device.parameters([new Uint32Array(parameterNames.length)]);
    const bound = device.bind({ parameters, constants, updates, fp32, state, counts });
    device.launch([{ kernel: code, bound, slot: 0, groups: n / 64 }]);
    const out = await device.read(updates, n);
    for (const buffer of [...buffers, parameters]) buffer.destroy();
    return out;
  }

  const n = sized({ quick: 2 ** 15, full: 2 ** 20 });

  /** Threes of bits: any, of one size, subnormal, special, of few bits, such that cancel. */
  function operands(): Uint32Array {
    const input = new Uint32Array(3 * n);
    const numbers = new Float32Array(input.buffer);
    const random = random32(99);
    const special = [
      ...[0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x807fffff, 0x00800000, 0x7f7fffff],
      ...[0x3f800000, 0x3f000000, 0x4b000000, 0x33800000],
    ];
    for (let i = 0; i < n; i++) {
      const kind = i % 7;
      for (let j = 0; j < 3; j++) {
        let x = random() ^ (random() << 7);
        if (kind === 1) x = (x & 0x80ffffff) | ((100 + (random() % 50)) << 23);
        if (kind === 2) x = (x & 0x807fffff) | ((random() % 3) << 23);
        if (kind === 3) x = special[random() % special.length];
        if (kind === 4) x = (x & 0x80e00000) | ((120 + (random() % 8)) << 23);
        input[3 * i + j] = x;
      }
      const product = fround(numbers[3 * i] * numbers[3 * i + 1]);
      if (kind === 5) numbers[3 * i + 2] = -product;
      if (kind === 6) numbers[3 * i + 2] = product * 2 ** -(24 + (random() % 3));
    }
    return input;
  }

  it.each(operations)("%s", async (text, operation) => {
    const input = operands();
    const numbers = new Float32Array(input.buffer);
    const found = new Float32Array((await computed(text, input)).buffer);
    const wrong = new Mismatches();
    for (let i = 0; i < n; i++) {
      const [a, b, c] = numbers.subarray(3 * i, 3 * i + 3);
      const expected = operation(a, b, c, input[3 * i]);
      // Which of two zeros is the smaller one is left open, and so is the order of NaN.
      const open = /m(in|ax)/.test(text) && (Number.isNaN(expected) || expected === 0);
      if (!open) wrong.compare(found[i], expected, () => `${text} of ${a}, ${b}, ${c}`);
    }
    wrong.expectNone();
  });

  it("every element of every format with shared scales, times every scale", async () => {
    const elements = [...blockFormats.values()].flatMap(({ element }) => [...decodeTable(element)]);
    const pairs = elements
      .filter(Number.isFinite)
      .flatMap((element) => Array.from({ length: 256 }, (_, code) => ({ element, code })));
    const input = new Uint32Array(3 * pairs.length);
    const numbers = new Float32Array(input.buffer);
    for (const [i, { element, code }] of pairs.entries()) {
      numbers[3 * i] = element;
      // 2^-127 is subnormal, and NaN may have any bits.
      input[3 * i + 1] = code === 0 ? 2 ** 22 : code === 255 ? 2 ** 32 - 1 : code * 2 ** 23;
    }
    const found = new Float32Array((await computed("decoded(a, b)", input, sharedText)).buffer);
    const wrong = new Mismatches();
    for (const [i, { element, code }] of pairs.entries()) {
      const scale = code === 255 ? Number.NaN : 2 ** (code - 127);
      wrong.compare(found[i], fround(element * scale), () => `${element} under scale ${code}`);
    }
    wrong.expectNone();
  });

  // Three products a sum: of one size, of many, with signs, that cancel, that are ties, with zeros.
  const terms = {
    "of one size": (a: number, b: number) => [1 + a / 2 ** 32, 1 + b / 2 ** 32],
    "of many sizes": (a: number, b: number) => [
      (1 + a / 2 ** 32) * 2 ** ((b % 60) - 40),
      2 ** ((a % 40) - 30) * 1.7,
    ],
    "with signs": (a: number, b: number) => [
      (a % 2 ? 1 : -1) * (1 + a / 2 ** 32) * 2 ** (b % 30),
      1 + b / 2 ** 32,
    ],
    "that cancel": (a: number, b: number) => [(a >>> 31 ? 1 : -1) * ((b % 64) + 1), 1 + (a % 3) * 2 ** -23],
    "that are ties": (a: number, b: number) => [(a % 2 ? 1 : -1) * 2 ** (b % 27), 1 + 2 ** -((a >>> 8) % 24)],
    "subnormal, and zeros": (a: number, b: number) => [
      a % 3 ? 0 : (a % 999) * 2 ** -149,
      b % 2 ? -3 : 2 ** -140,
    ],
  };

  it.each(Object.entries(terms))("fp64 sums of products %s", async (_, term) => {
    const most = 8;
    const random = random32(5);
    const input = new Uint32Array(3 * n);
    const numbers = new Float32Array(input.buffer);
    for (let i = 0; i < n; i++) {
      const [a, b] = term(random(), random());
      [numbers[3 * i], numbers[3 * i + 1]] = [a, b].map(fround);
    }
    // The sum of eight products from here on, each added quickly where that can be, as its bits folded to 32.
    const text = `
fn term(sum: Sum, a: u32, b: u32, quick: bool) -> Sum {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu;
  let p = product32(significand32(ma), significand32(mb));
  let k = bitcast<i32>(exponent32(ma) + exponent32(mb));
  let negative = (a ^ b) >= 0x80000000u;
  let q = addSignedQuickly64(sum, p, k, negative);
  if (quick & (q.hi != 0u)) { return q; }
  return add64(sum, negative, p.hi, p.lo, k);
}
fn folded(i: u32, quick: bool) -> u32 {
  var sum = zeroSum();
  for (var j = 0u; j < ${most}u; j++) {
    let at = 3u * ((i + j) % ${n}u);
    sum = term(sum, constants[at], constants[at + 1u], quick);
  }
  let lo = sum.lo & 0xfffffc00u;
  let low = (lo >> 10u) | (sum.hi << 22u);
  let high = (bitcast<u32>(sum.q + 770) << 20u) | ((sum.hi >> 10u) & 0xfffffu) | (sum.lo << 31u);
  return select(low * 31u + high, 0u, (sum.hi | lo) == 0u);
}`;
    const wrong = new Mismatches();
    const [slow, quick] = [
      await computed("folded(i, false)", input, text),
      await computed("folded(i, true)", input, text),
    ];
    const sums = new Float64Array(1);
    const halves = new Uint32Array(sums.buffer);
    for (let i = 0; i < n; i++) {
      sums[0] = 0;
      for (let j = 0; j < most; j++) {
        const at = 3 * ((i + j) % n);
        sums[0] += numbers[at] * numbers[at + 1];
      }
      const expected = sums[0] === 0 ? 0 : (Math.imul(halves[0], 31) + halves[1]) >>> 0;
      wrong.compare(slow[i], expected, () => `the sum from ${i}, ${sums[0]}`);
      wrong.compare(quick[i], expected, () => `the quick sum from ${i}, ${sums[0]}`);
    }
    wrong.expectNone();
  });
});
