import { describe, expect, it } from "vitest";
import { threefry2x32, threefryKey } from "../../../src/engine/lane/threefry.js";
import { signed, unsigned } from "../../../src/engine/wasm/assembler/instructions.js";
import { type ExportedFunction, moduleBytes } from "../../../src/engine/wasm/assembler/module.js";
import { sumDigits } from "../../../src/engine/wasm/digits.js";
import { writeDecode } from "../../../src/engine/wasm/kernel/begin.js";
import { addExactly, lowestExponent, writeAddExactly } from "../../../src/engine/wasm/kernel/sum.js";
import { webAssembly } from "../../../src/engine/wasm/platform.js";
import { decodeTable } from "../../../src/format/encode.js";
import { format, formats } from "../../../src/format/registry.js";
import { ExactSum } from "../../../src/lens/sum.js";
import { threefry2x32 as specified } from "../../../src/update/threefry.js";
import { random32 } from "../../support/bits.js";

async function instantiate(...functions: ExportedFunction[]) {
  const size = { pages: 8, shared: false };
  const memory = new webAssembly!.Memory({ initial: size.pages, maximum: size.pages });
  const module = await webAssembly!.compile(moduleBytes(size, functions));
  const { exports } = await webAssembly!.instantiate(module, { host: { memory } });
  return { exports, buffer: memory.buffer as ArrayBuffer };
}

describe("the assembler", () => {
  it("writes LEB128 as the specification's examples", () => {
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(unsigned(0)).toEqual([0]);
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(63)).toEqual([63]);
    expect(signed(64)).toEqual([0xc0, 0]);
    expect(signed(-64)).toEqual([0x40]);
    expect(signed(-65)).toEqual([0xbf, 0x7f]);
    expect(signed(2 ** 52)).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 8]);
  });

  it("refuses to call what is not there, and parameters of another type", async () => {
    const calling: ExportedFunction = { name: "f", parameters: ["i32"], write: (k) => k.call("g") };
    expect(() => moduleBytes({ pages: 1, shared: false }, [calling])).toThrow("no function g");
    const typed: ExportedFunction = { ...calling, write: (k) => k.parameter(0, "f64") };
    expect(() => moduleBytes({ pages: 1, shared: false }, [typed])).toThrow("parameter 0 is no f64");
  });
});

describe("decode", () => {
  const stored = [...formats.values(), format("e3m4"), format("e7m8")].filter(
    ({ bits }) => bits === 8 || bits === 16,
  );

  it.each(stored)("every code of $name", async (storageFormat) => {
    const { exports, buffer } = await instantiate({
      name: "decode",
      parameters: ["i32", "i32", "i32"],
      write: (k) => writeDecode(k, storageFormat),
    });
    const count = 2 ** storageFormat.bits;
    const codes =
      storageFormat.bits === 16 ? new Uint16Array(buffer, 0, count) : new Uint8Array(buffer, 0, count);
    for (let code = 0; code < count; code++) codes[code] = code;
    exports.decode(0, 2 ** 17, count);
    const numbers = new Float32Array(buffer, 2 ** 17, count);
    const expected = decodeTable(storageFormat);
    expect(numbers.findIndex((x, code) => !Object.is(x, expected[code]))).toBe(-1);
  });
});

describe("exact sums", () => {
  it("are those of ExactSum: products of fp32 numbers of every size and both signs", async () => {
    const { exports, buffer } = await instantiate({
      name: addExactly,
      parameters: ["i32", "f64"],
      write: writeAddExactly,
    });
    const random = random32(77);
    const expected = new ExactSum();
    const number = () => Math.fround((random() / 2 ** 31 - 1) * 2 ** ((random() % 275) - 148));
    const terms = [2 ** -298, -(2 ** -298), 2 ** 250, -(2 ** 250), 2 ** -298, 0, -0];
    for (let i = 0; i < 20_000; i++) terms.push(number() * number());
    for (const term of terms) {
      exports[addExactly](64, term);
      expected.add(term);
    }
    const found = new ExactSum();
    for (const [i, digit] of new BigInt64Array(buffer, 64, sumDigits).entries()) {
      found.add(Number(digit >> 32n) * 2 ** (lowestExponent + 32 * (i + 1)));
      found.add(Number(digit & 0xffff_ffffn) * 2 ** (lowestExponent + 32 * i));
    }
    expect(found.parts()).toEqual(expected.parts());
    expect(found.parts().length).toBeGreaterThan(3);
  });
});

it("Threefry on four counters is Threefry on each", async () => {
  const { exports, buffer } = await instantiate({
    name: "threefry",
    parameters: ["i32", "i32"],
    write: (k) => {
      const zero = k.i32.constant(0);
      const [low, high] = [0, 1].map((i) => k.i32x4.splat(k.parameter(i, "i32")));
      const key = threefryKey(k, low, high);
      const [x0, x1] = threefry2x32(k, key, [k.load("v128", zero), k.load("v128", zero, 16)]);
      k.store("v128", x0, zero, 32);
      k.store("v128", x1, zero, 48);
    },
  });
  const words = new Uint32Array(buffer, 0, 16);
  const random = random32(5);
  for (const key of [
    [0, 0],
    [random(), random()],
    [0xffff_ffff, 0x8000_0000],
  ] as const) {
    for (let i = 0; i < 8; i++) words[i] = key[0] === 0 ? 0 : random();
    exports.threefry(key[0], key[1]);
    for (let lane = 0; lane < 4; lane++) {
      const expected = specified(key, [words[lane], words[lane + 4]]);
      expect([words[lane + 8], words[lane + 12]]).toEqual([...expected]);
    }
    // Random123's known answer.
    if (key[0] === 0) expect([words[8], words[12]]).toEqual([0x6b200159, 0x99ba4efe]);
  }
});
