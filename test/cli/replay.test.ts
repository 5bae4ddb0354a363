import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { float32, readTensors, recorded } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

/**
 * Recordings of SGD whose every number is a small multiple of a power of two, so that plain arithmetic says exactly where
 * a replay has to end.
 */
const folder = temporaryFolder();
let runs = 0;

type Metadata = Readonly<Record<string, string>>;

interface Written {
  /** Metadata of the gradients, of each step its own file. */
  readonly steps: readonly { readonly number: number; readonly metadata: Metadata }[];
  readonly moments?: { readonly tensors: readonly TensorToWrite[]; readonly metadata: Metadata };
}

const weights = { w: [1, -2, 0.5, 4], norm: [1, 1] };
const gradient = (name: keyof typeof weights, step: number) =>
  weights[name].map((_, i) => (((i + step) % 3) - 1) / 4 || 0.5);

function write({ steps, moments }: Written, without: readonly string[] = []): string {
  runs += 1;
  const path = join(folder, `run-${runs}`);
  mkdirSync(join(path, "gradients"), { recursive: true });
  const put = (file: string, tensors: readonly TensorToWrite[], metadata: Metadata) =>
    writeFileSync(join(path, file), encodeSafetensors(tensors, metadata));
  put("base.safetensors", [float32("w", weights.w), float32("norm", weights.norm)], {});
  const index: Record<string, string> = {};
  for (const { number, metadata } of steps) {
    const names = (["w", "norm"] as const)
      .map((name) => ({ name, key: `step${number}/${name}` }))
      .filter(({ key }) => !without.includes(key));
    const file = `step${number}.safetensors`;
    put(
      join("gradients", file),
      names.map(({ name, key }) => float32(key, gradient(name, number))),
      metadata,
    );
    for (const { key } of names) index[key] = file;
  }
  const text = JSON.stringify({ weight_map: index });
  writeFileSync(join(path, "gradients", "gradients.safetensors.index.json"), text);
  if (moments) put("moments.safetensors", moments.tensors, moments.metadata);
  return path;
}

/** The recorder's dialect: two groups, of which one decays. */
function groups(lr: number, more: object = {}, state = "empty"): Metadata {
  const group = (rate: number, decay: number) => ({ lr: rate, momentum: 0.5, weight_decay: decay, ...more });
  return {
    optimizer: "torch.optim.sgd.SGD",
    optimizer_state_at_start: state,
    groups: JSON.stringify([group(lr, 0.25), group(lr / 2, 0)]),
    parameters_by_group: JSON.stringify([["w"], ["norm"]]),
  };
}

/** Where the weights are after the steps: SGD with momentum .5, by plain arithmetic. */
function expected(
  steps: readonly (readonly [number: number, lr: number])[],
  moment: { readonly w: number; readonly norm: number; readonly t: number } = { w: 0, norm: 0, t: 0 },
): number[][] {
  return (["w", "norm"] as const).map((name) => {
    const [share, decay] = name === "w" ? [1, 0.25] : [0.5, 0];
    return weights[name].map((start, i) => {
      let [p, m] = [start, moment[name]];
      for (const [index, [number, lr]] of steps.entries()) {
        const g = gradient(name, number)[i] + decay * p;
        m = moment.t + index === 0 ? g : 0.5 * m + g;
        p -= lr * share * m;
      }
      return p;
    });
  });
}

async function ends(...args: string[]): Promise<number[][]> {
  const path = join(folder, "end.safetensors");
  const sgd = ["--optimizer", "sgd", "--recipe", "fp32", "--quiet", "--strict", "--write-weights", path];
  expect(await run(["run", ...args, ...sgd])).toEqual({ status: 0, stdout: "", stderr: "" });
  return readTensors(path).map(({ data }) => {
    const bytes = Uint8Array.from(data as Uint8Array);
    return Array.from(new Float32Array(bytes.buffer));
  });
}

const warmUp = [2 ** -4, 2 ** -3, 2 ** -2];
const fresh = { steps: warmUp.map((lr, number) => ({ number, metadata: groups(lr) })) };
const late = {
  steps: warmUp.map((lr, i) => ({ number: 41 + i, metadata: groups(lr, {}, "not empty") })),
  moments: {
    tensors: [float32("m/w", [0.5, 0.5, 0.5, 0.5]), float32("m/norm", [-1, -1])],
    metadata: { t: "40" },
  },
};

describe("run --optimizer takes from the recording", () => {
  test("learning rate and weight decay of each step and group, and the momentum", async () => {
    const steps = warmUp.map((lr, number) => [number, lr] as const);
    expect(await ends(write(fresh))).toEqual(expected(steps));
  });

  test("the moments that it starts from, and the steps taken", async () => {
    const steps = warmUp.map((lr, i) => [41 + i, lr] as const);
    const path = write(late);
    const from = expected(steps, { w: 0.5, norm: -1, t: 40 });
    expect(await ends(path)).toEqual(from);
    const parts = ["base.safetensors", "gradients", "moments.safetensors"].map((part) => join(path, part));
    const [base, gradients, moments] = parts;
    expect(await ends("--weights", base, "--gradients", gradients, "--moments", moments)).toEqual(from);
    expect(from).not.toEqual(expected(steps));
  });

  test("a tensor that took other steps than the rest", async () => {
    const metadata = { t: "40", "t/norm": "0" };
    const path = write({ ...late, moments: { ...late.moments, metadata } });
    const steps = warmUp.map((lr, i) => [41 + i, lr] as const);
    const [w] = expected(steps, { w: 0.5, norm: -1, t: 40 });
    const [, norm] = expected(steps, { w: 0.5, norm: -1, t: 0 });
    expect(await ends(path)).toEqual([w, norm]);
  });

  test("the dialect without groups; what it does not say is taken from the options", async () => {
    const metadata = { optimizer: "SGD", lr: "0.125" };
    const path = write({ steps: [0, 1].map((number) => ({ number, metadata })) });
    const json = await output("run", path, "--optimizer", "sgd", "--betas", "0.5,0", "--json", "-");
    const { settings }: Result = JSON.parse(json);
    expectValid("result", JSON.parse(json));
    expect(settings.optimizer).toEqual({
      name: "sgd",
      lr: 0.125,
      betas: [0.5, 0],
      eps: 1e-8,
      weightDecay: 0,
      recorded: { given: { betas: [0.5, 0] }, override: false },
    });
  });

  test("the optimizer itself", async () => {
    const json = await output("run", join(write(fresh)), "--gradients", "x").catch((error) => error);
    expect(json).toBeInstanceOf(Error);
    const path = write(fresh);
    const parts = ["--weights", join(path, "base.safetensors"), "--gradients", join(path, "gradients")];
    const { settings }: Result = JSON.parse(await output("run", ...parts, "--json", "-"));
    expect(settings.optimizer?.name).toBe("sgd");
  });

  test("the early window of a real run: its learning rate, not 1e-3 or another default", async () => {
    const json = await output(
      "run",
      recorded("sft/early"),
      "--optimizer",
      "adamw",
      "--recipe",
      "fp32",
      "--json",
      "-",
    );
    const { settings }: Result = JSON.parse(json);
    expect(settings.optimizer).toMatchObject({ lr: 1e-4, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 });
  });
});

describe("run --optimizer refuses", () => {
  const sgd = ["--optimizer", "sgd", "--recipe", "fp32"];
  const first = (path: string) => join(path, "gradients", "step0.safetensors");

  test.each([
    ["--lr", "0.5", "0.0625"],
    ["--betas", "0.25,0.5", "0.5,0.999"],
    ["--weight-decay", "0", "0.25"],
  ])("%s %s against the recording, naming both; --override takes it", async (flag, value, known) => {
    const path = write(fresh);
    const says = `${flag} ${known}, as was recorded of "w" at step 0 (or --override)`;
    await expectRefusal(["run", path, ...sgd, flag, value], first(path), says, `${flag} ${value}`);
    const overridden = await ends(path, flag, value, "--override");
    expect(overridden).not.toEqual(await ends(path));
  });

  test("an option that says what the recording says is none that contradicts it", async () => {
    const metadata = { ...groups(2 ** -4), parameters_by_group: '[["w","norm"],[]]' };
    const path = write({ steps: [{ number: 0, metadata }] });
    expect(await ends(path, "--lr", "0.0625", "--betas", ".5,.9", "--weight-decay", ".25")).toEqual(
      await ends(path),
    );
  });

  test("another optimizer, and one that no recipe computes", async () => {
    const path = write(fresh);
    const gradients = join(path, "gradients");
    const is = "--optimizer sgd, as the recording is of torch.optim.sgd.SGD (or --override)";
    await expectRefusal(["run", path, "--optimizer", "lion"], gradients, is, "--optimizer lion");
    const adadelta = write({ steps: [{ number: 0, metadata: { optimizer: "Adadelta", lr: "1" } }] });
    await expectRefusal(
      ["run", adadelta, ...sgd],
      join(adadelta, "gradients"),
      "an optimizer with recipes (or --override)",
      'the gradients of "Adadelta"',
    );
    const nesterov = write({ steps: [{ number: 0, metadata: groups(1, { nesterov: true }) }] });
    const known = "an optimizer with recipes (or --override)";
    await expectRefusal(["run", nesterov, ...sgd], first(nesterov), known, "one with nesterov");
    const adam = { optimizer: "torch.optim.adam.Adam", lr: "1", weight_decay: "0.1" };
    const coupled = write({ steps: [{ number: 0, metadata: adam }] });
    const isAdam = "--optimizer adam, as the recording is of torch.optim.adam.Adam (or --override)";
    const asked = ["run", coupled, "--optimizer", "adamw"];
    await expectRefusal(asked, join(coupled, "gradients"), isAdam, "--optimizer adamw");
    const { settings } = JSON.parse(await output("run", coupled, "--optimizer", "adam", "--json", "-"));
    expect(settings.optimizer).toMatchObject({ name: "adam", weightDecay: 0.1 });
  });

  test("a step that is missing in between", async () => {
    const steps = [0, 1, 3].map((number) => ({ number, metadata: groups(1) }));
    const path = write({ steps });
    const every = "gradients of every step from 0 to 3, as the moments need them all (or --override)";
    await expectRefusal(["run", path, ...sgd], join(path, "gradients"), every, "none of step 2");
    const { status, stderr } = await run(["run", path, ...sgd, "--override"]);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: "precision-lens: --override: step 2 is missing: the optimizer goes on without it\n",
    });
  });

  test("never a parameter that has no gradient at one of the steps, as the help says", async () => {
    const path = write({ steps: [0, 1].map((number) => ({ number, metadata: groups(1) })) }, ["step1/norm"]);
    const { skipped, input } = JSON.parse(
      await output("run", path, ...sgd, "--override", "--quiet", "--json", "-"),
    );
    expect(input.elements).toBe(weights.w.length);
    expect(skipped).toMatchObject([
      { name: "norm", reason: "has gradients for 1 of 2 steps, none for step 1" },
    ]);
    expect((await output("run", "--help")).replace(/\s+/g, " ")).toContain(
      "a parameter without gradients at some of the steps is never counted",
    );
  });

  test("moments that were not empty and are not recorded, or may not have been", async () => {
    const { steps } = late;
    const told = write({ steps });
    const expected = "moments.safetensors with the moments before step 41";
    const why = ", as the optimizer's state was not empty";
    const todo = ": record them too (or --override)";
    await expectRefusal(["run", told, ...sgd], join(told, "gradients"), expected + why + todo, "none");
    const untold = write({ steps: steps.map(({ number }) => ({ number, metadata: { lr: "1" } })) });
    await expectRefusal(["run", untold, ...sgd], join(untold, "gradients"), expected + todo, "none");
    const { status, stderr } = await run(["run", told, ...sgd, "--override"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^precision-lens: --override: the moments .* were not recorded, and are taken as zero\n$/,
    );
  });

  test("moments of another shape, without steps taken, or not of every tensor", async () => {
    const { steps, moments } = late;
    const [w] = moments.tensors;
    const short = write({ steps, moments: { ...moments, tensors: [w, float32("m/norm", [1])] } });
    const file = (path: string) => join(path, "moments.safetensors");
    const shape = 'shape [2] of "m/norm", as its weight has';
    await expectRefusal(["run", short, ...sgd], file(short), shape, "[1]");
    const few = write({ steps, moments: { ...moments, tensors: [w] } });
    await expectRefusal(
      ["run", few, ...sgd],
      file(few),
      "the moments of every tensor",
      'none named "m/norm"',
    );
    const untold = write({ steps, moments: { ...moments, metadata: { t: "-1" } } });
    const t = 'the number of steps taken as "t" in its metadata';
    await expectRefusal(["run", untold, ...sgd], file(untold), t, '"-1"');
  });

  test("no learning rate anywhere; settings that are no numbers, or that no optimizer takes", async () => {
    const bare = write({ steps: [{ number: 0, metadata: {} }] });
    await expectRefusal(["run", bare, ...sgd], first(bare), "a recorded learning rate, or --lr", "neither");
    const cases: [Metadata, string, string][] = [
      [{ lr: "fast" }, "a number as the recorded lr", '"NaN"'],
      [{ groups: "{" }, 'JSON in the metadata "groups"', '"{"'],
      [{ groups: "[1]" }, 'objects in the metadata "groups"', "something else"],
      [{ lr: "-1" }, "a learning rate of at least 0, finite", "-1"],
      [
        { groups: '[{"lr":1},{"lr":2}]', parameters_by_group: '[["w"],[]]' },
        'the parameter group of "norm"',
        "none that names it",
      ],
    ];
    for (const [metadata, expected, found] of cases) {
      const path = write({ steps: [{ number: 0, metadata }] });
      await expectRefusal(["run", path, ...sgd], first(path), expected, found);
    }
  });

  test("its options without --optimizer, and --moments with a folder", async () => {
    const path = write(late);
    await expectUsageError(["run", path, "--override"], /--override is for updates computed by --optimizer/);
    const moments = ["--moments", join(path, "moments.safetensors")];
    await expectUsageError(["run", path, ...sgd, ...moments], /FOLDER has its own/);
  });
});
