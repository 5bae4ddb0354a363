import { describe, expect, it } from "vitest";
import { adam, adamw, type OptimizerState, recipe, sgd } from "../../../src/update/optimizer.js";
import { filesIn, numbersOf, type Vector, vector } from "../../support/golden-steps.js";

const cpu = filesIn("adamw");
const cuda = filesIn("cuda");
const tail = filesIn("tail");
const old = filesIn("torch-1.13");
/** The one whose vectors show the bug of torch that no recipe imitates. */
const fusedSgdOnCpu = cuda.filter((file) => file.startsWith("sgd-bf16-cpu-fused"));

/** The states after each step by a recipe. */
function* steps({ optimizer, format, settings, codes }: Vector, name: string): Generator<OptimizerState> {
  const numbers = (stored: Uint16Array) => Array.from(stored, (code) => numbersOf[format][code]);
  const by = { adamw, adam, sgd }[optimizer]({ recipe: name, format, ...settings });
  let state = by.init(numbers(codes("p", 0)));
  for (let t = 1; t <= 10; t++) {
    state = by.step(state, numbers(codes("g", t)));
    yield state;
  }
}

/** How many of the numbers are not those of the codes, +0 and -0 apart; NaN equals NaN. */
function differing(numbers: Float32Array, codes: Uint16Array, format: "bf16" | "fp16"): number {
  return codes.filter((code, i) => !Object.is(numbers[i], numbersOf[format][code])).length;
}

function expectGolden(path: string): void {
  const golden = vector(path);
  const name = golden.recipe;
  const states = Object.keys({ adamw, adam, sgd }[golden.optimizer]({ recipe: name, lr: 1 }).init([]).values);
  const found: Record<string, number> = {};
  for (const { t, values } of steps(golden, name)) {
    for (const state of states) {
      found[`${state}.${t}`] = differing(values[state], golden.codes(state, t), golden.format);
    }
  }
  expect(Object.entries(found).filter(([, count]) => count > 0)).toEqual([]);
  expect(Object.keys(found)).toHaveLength(states.length * 10);
}

/** Says of whom a recipe is compared with what the vector says of itself. */
function expectSaid({ optimizer, format, recipe: name, release, device }: Vector): void {
  const { verified, comparedIn } = recipe(optimizer, name);
  const on = device.includes("H100") ? " on an H100" : release.includes("cpu") ? "" : " on a CPU";
  expect(verified).toBe(`bit for bit with torch ${release}${on}, ten steps`);
  expect(comparedIn).toContain(format);
}

describe("torch.optim.AdamW 2.13.0+cpu on bf16", () => {
  it("there are twelve files", () => expect(cpu).toHaveLength(12));

  it.each(cpu)("%s: p, m and v at all ten steps, no bit differs", (file) => {
    expectGolden(`adamw/${file}`);
  });

  it("the recipe of another implementation gives other bits", () => {
    for (const [file, name] of [
      ["for-loop-1", "torch-2.13-cpu-foreach"],
      ["foreach-1", "torch-2.13-cpu-fused"],
      ["fused-1", "torch-2.13-cpu-for-loop"],
    ]) {
      expectOthers(`adamw/adamw-bf16-${file}.safetensors`, name);
    }
  });
});

describe("torch.optim 2.11.0+cu130, AdamW and SGD, on an H100 and its host", () => {
  const compared = cuda.filter((file) => !fusedSgdOnCpu.includes(file));

  it("there are files of ten implementations, one also in fp16, and of the one that does not train", () => {
    const implementations = cuda.map((file) => file.slice(0, file.lastIndexOf("-")));
    expect(new Set(implementations).size).toBe(11);
    expect(cuda).toHaveLength(4 * 4 + 2 + 6 * 3);
  });

  it.each(compared)("%s: p and the states at all ten steps, no bit differs", (file) => {
    expectGolden(`cuda/${file}`);
  });

  it("the recipe of another implementation gives other bits", () => {
    // But for-loop and foreach on CUDA, which no element of these vectors tells apart.
    for (const [file, name] of [
      ["adamw-bf16-cuda-for-loop-3", "torch-2.13-cpu-for-loop"],
      ["adamw-bf16-cuda-foreach-3", "torch-2.13-cuda-capturable"],
      ["adamw-bf16-cuda-capturable-2", "torch-2.13-cuda-foreach"],
      ["adamw-bf16-cuda-fused-2", "torch-2.13-cpu-fused"],
      ["adamw-fp16-cuda-fused-1", "torch-2.13-cpu-fused"],
      ["sgd-bf16-cpu-for-loop-1", "torch-2.13-cpu-foreach"],
      ["sgd-bf16-cpu-foreach-1", "torch-2.13-cpu-for-loop"],
      ["sgd-bf16-cuda-for-loop-1", "torch-2.13-cpu-for-loop"],
      ["sgd-bf16-cuda-fused-1", "torch-2.13-cuda-foreach"],
    ]) {
      expectOthers(`cuda/${file}.safetensors`, name);
    }
  });

  it.each(fusedSgdOnCpu)("%s: no weight ever changes, whatever the gradients; so it is refused", (file) => {
    const { codes, implementation } = vector(`cuda/${file}`);
    for (let t = 1; t <= 10; t++) {
      expect(codes("p", t)).toEqual(codes("p", 0));
      expect(codes("g", t).some((code) => (code & 0x7fff) !== 0)).toBe(true);
    }
    const refusal = /recipe torch-2\.13-cpu-fused of sgd is not imitated: .*pytorch#191763.*does not train/;
    expect(() => recipe("sgd", `torch-2.13-${implementation}`)).toThrow(refusal);
    expect(() => sgd({ recipe: `torch-2.13-${implementation}`, lr: 1 })).toThrow(RangeError);
  });
});

describe("torch.optim.SGD 1.13.1 on one thread of a CPU, on bf16", () => {
  it("there are files of 61, 15, 37, 70 and 1000 elements", () => {
    const elements = tail.map((file) => vector(`tail/${file}`).codes("p", 0).length);
    expect(elements.sort((a, b) => a - b)).toEqual([15, 15, 37, 37, 61, 61, 70, 70, 1000, 1000]);
  });

  it.each(tail)("%s: the last n mod 32 elements too have their bits", (file) => {
    expectGolden(`tail/${file}`);
  });

  it("which they have not by the lines of whole blocks", () => {
    const { codes, ...golden } = vector("tail/sgd-bf16-cpu-foreach.safetensors");
    // Three more elements make two blocks of 32.
    const padded = {
      ...golden,
      codes: (name: string, t: number) => Uint16Array.of(...codes(name, t), 0, 0, 0),
    };
    const unlike = Array.from({ length: 61 }, () => false);
    for (const { t, values } of steps(padded, "torch-2.13-cpu-foreach")) {
      const expected = codes("p", t);
      for (const i of unlike.keys()) unlike[i] ||= values.p[i] !== numbersOf.bf16[expected[i]];
    }
    expect(unlike.indexOf(true)).toBeGreaterThanOrEqual(32);
  });
});

describe("torch.optim 1.13.1 and torchdistx on it, on one thread of a CPU, 285 elements of bf16", () => {
  it("there are two files each of AdamW, Adam and AnyPrecision", () => expect(old).toHaveLength(6));

  it.each(old)("%s: p and the states at all ten steps, no bit differs", (file) => {
    expectGolden(`torch-1.13/${file}`);
  });

  it("which are not those of torch 2.13", () => {
    expectOthers("torch-1.13/adamw-bf16-cpu-for-loop.safetensors", "torch-2.13-cpu-foreach");
    expectOthers("torch-1.13/adam-bf16-cpu-for-loop.safetensors", "torch-2.13-cpu-foreach");
    expectOthers("torch-1.13/adamw-bf16-cpu-anyprecision-0.safetensors", "anyprecision");
  });
});

it("recipes say what they were compared with, and in which formats, as the vectors do", () => {
  const files = [
    ...cpu.map((file) => `adamw/${file}`),
    ...cuda.map((file) => `cuda/${file}`),
    ...old.map((file) => `torch-1.13/${file}`),
  ];
  for (const path of files.filter((file) => !fusedSgdOnCpu.includes(file.slice(5)))) expectSaid(vector(path));
});

function expectOthers(path: string, name: string): void {
  const golden = vector(path);
  for (const { t, values } of steps(golden, name)) {
    const differ = (state: string) => differing(values[state], golden.codes(state, t), golden.format) > 0;
    if (Object.keys(values).some(differ)) return;
  }
  expect.fail(`${name} gives the bits of ${path}`);
}
