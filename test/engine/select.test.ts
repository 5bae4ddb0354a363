import { describe, expect, it } from "vitest";
import type { Engine, LensJob } from "../../src/engine/engine.js";
import { engineNames } from "../../src/engine/engine-names.js";
import { EngineRefused } from "../../src/engine/engine-refused.js";
import { reference } from "../../src/engine/reference/reference.js";
import { engines } from "../../src/engine/registry.js";
import { sampleOf, selectEngine } from "../../src/engine/select.js";
import { worthThreads } from "../../src/engine/wasm/wasm.js";
import { updateSettings } from "../../src/update/settings.js";
import { tensorOf } from "../support/values.js";

const passed = { passed: 1, failed: 0, firstFailure: null };

/** An engine that does nothing but what is said of it. */
function engine(name: string, about: Partial<Engine> = {}): Engine {
  return { name, device: "a device", selfCheck: async () => passed, run: async () => [], ...about };
}

function registry(...engines: readonly Engine[]): ReadonlyMap<string, Engine> {
  return new Map(engines.map((candidate) => [candidate.name, candidate]));
}

/** A run that takes so many milliseconds. */
function taking(milliseconds: number): Engine["run"] {
  return async () => {
    await new Promise((done) => setTimeout(done, milliseconds));
    return [];
  };
}

const job: LensJob = {
  tensors: [tensorOf("a", [1], [0.5]), tensorOf("b", [1, 2, 3], [0.5, 0, 1])],
  stepNumbers: [0],
  cases: [updateSettings({ format: "bf16" })],
};

describe("selectEngine", () => {
  it("goes by the names that are listed apart from the engines", () => {
    expect(engineNames).toEqual(["auto", "gpu", ...engines.keys()]);
  });

  it("takes the engine that is named, of those there are", async () => {
    expect((await selectEngine("reference")).engine).toBe(reference);
    await expect(selectEngine("abacus")).rejects.toThrow('unknown engine "abacus": expected auto, ');
    await expect(selectEngine("abacus")).rejects.toThrow(RangeError);
  });

  it.each<[string, Partial<Engine>, string]>([
    ["is not to be had", { unavailable: async () => "no such device" }, "engine x: no such device"],
    ["does not take the cases", { refuses: () => "too hard" }, "engine x: too hard"],
    [
      "fails its self-check",
      { selfCheck: async () => ({ passed: 3, failed: 2, firstFailure: "1 + 1" }) },
      "engine x fails its self-check on a device: 2 of 5 hard cases are wrong, first 1 + 1",
    ],
  ])("refuses a named engine that %s, and tells why", async (_, about, message) => {
    const choice = selectEngine("x", job, registry(engine("x", about)));
    await expect(choice).rejects.toThrow(message);
    await expect(choice).rejects.toThrow(EngineRefused);
  });

  it("auto takes the first that is proven", async () => {
    const wrong = engine("wrong", { selfCheck: async () => ({ passed: 0, failed: 1, firstFailure: "all" }) });
    const absent = engine("absent", { unavailable: async () => "gone" });
    const good = engine("good");
    expect((await selectEngine("auto", job, registry(wrong, absent, good, engine("late")))).engine).toBe(
      good,
    );
    await expect(selectEngine("auto", job, registry(wrong, absent))).rejects.toThrow(
      "no engine passes its self-check: engine wrong fails its self-check on a device: 1 of 1 hard cases are wrong, first all; engine absent: gone",
    );
  });

  it("auto measures a device for jobs that are worth it, and closes it where it is slower", async () => {
    let closed = 0;
    const device = (milliseconds: number, worthFrom: number, about: Partial<Engine> = {}) =>
      engine("device", {
        worthFrom,
        run: taking(milliseconds),
        close: async () => {
          closed += 1;
        },
        ...about,
      });
    const cpu = engine("cpu", { run: taking(30) });
    const choose = async (gpu: Engine) => (await selectEngine("auto", job, registry(cpu, gpu))).engine.name;
    expect(await choose(device(0, 4))).toBe("device");
    expect(closed).toBe(0);
    expect(await choose(device(0, 5))).toBe("cpu");
    expect(closed).toBe(0);
    expect(await choose(device(90, 1))).toBe("cpu");
    expect(closed).toBe(1);
    expect(await choose(device(0, 1, { unavailable: async () => "gone" }))).toBe("cpu");
    expect(await choose(device(0, 1, { refuses: () => "no" }))).toBe("cpu");
  });

  it("auto does not try a driver that computes on the CPU, once it has opened it; gpu takes it", async () => {
    let [opened, checked, closed] = [false, 0, 0];
    const driver: Engine = {
      ...engine("driver", { worthFrom: 1 }),
      get isFallback() {
        return opened;
      },
      unavailable: async () => {
        opened = true;
        return null;
      },
      selfCheck: async () => {
        checked += 1;
        return passed;
      },
      close: async () => {
        closed += 1;
      },
    };
    const all = registry(engine("cpu", { run: taking(30) }), driver);
    expect((await selectEngine("auto", job, all)).engine.name).toBe("cpu");
    expect([checked, closed]).toEqual([0, 1]);
    expect((await selectEngine("gpu", job, all)).engine.name).toBe("driver");
    expect((await selectEngine("driver", job, all)).engine.name).toBe("driver");
  });

  it("auto measures every engine on a sample that the CPU has its threads for", async () => {
    const numbers = new Float64Array(2 ** 20);
    const [small, other] = [numbers.subarray(0, 5000), numbers.subarray(0, 2 ** 19)];
    const many: LensJob = {
      tensors: [
        tensorOf("small", small, small),
        tensorOf("a", numbers, numbers),
        tensorOf("b", other, other),
      ],
      stepNumbers: [0],
      cases: Array(6).fill(job.cases[0]),
      threads: 3,
    };
    const sample = sampleOf({ ...many, tensors: Array(8).fill(many.tensors).flat() });
    const elements = sample.tensors.reduce((sum, { weights }) => sum + weights.length, 0);
    expect(sample.cases).toHaveLength(4);
    expect(elements * sample.cases.length).toBeGreaterThanOrEqual(2 * worthThreads);
    expect(sample.threads).toBe(3);
    // No more of a long tensor than that; all of a job that is smaller.
    const [{ name, weights }] = sampleOf({ ...many, tensors: [many.tensors[1]], cases: job.cases }).tensors;
    expect([name, weights.length]).toEqual(["a", 2 ** 20]);
    const long = { ...many.tensors[1], weights: { length: 2 ** 40, read: async () => {} } };
    expect(sampleOf({ ...many, tensors: [long] }).tensors[0].weights.length).toBeLessThan(2 ** 24);
  });

  it("auto takes the reference for a job that it has done before another engine has proved itself", async () => {
    const names = async (length: number) => {
      const numbers = new Float64Array(length);
      const large = { ...job, tensors: [tensorOf("a", numbers, numbers)] };
      return (await selectEngine("auto", large, registry(engine("fast"), engine("reference")))).engine.name;
    };
    expect(await names(1)).toBe("reference");
    expect(await names(2 ** 17)).toBe("reference");
    expect(await names(2 ** 17 + 1)).toBe("fast");
    // Nothing is known of a job without tensors, as of a run that is still to be drawn.
    expect(await names(0)).toBe("fast");
  });

  it("asks an engine to prove the job's own cases", async () => {
    let asked: unknown;
    const curious = engine("curious", {
      selfCheck: async (cases) => {
        asked = cases;
        return passed;
      },
    });
    await selectEngine("curious", job, registry(curious));
    expect(asked).toBe(job.cases);
  });
});
