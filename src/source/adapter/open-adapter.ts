import { join } from "node:path";
import type { Format } from "../../format/format.js";
import { originOf, type SkippedTensor, type TensorInput } from "../../lens/input.js";
import { lowRankValues, negated } from "../../lens/run/low-rank.js";
import { type Checkpoint, openCheckpoint } from "../checkpoint.js";
import { InputError, quote } from "../input-error.js";
import { readableDtypes } from "../safetensors/dtype.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import { scaledCodes } from "../scaled/uncovered.js";
import { firstSkipped, SkipList } from "../skip-list.js";
import { statPath } from "../system-error.js";
import { readAdapterConfig, scaleOf } from "./config.js";
import { adapterTensors, type ModuleFactors, productOf } from "./factors.js";
import { adapterFolder, configName, isThere, weightNames } from "./is-adapter.js";

/** A LoRA adapter paired with its base: each product is the update of a weight tensor. */
export interface AdapterOnBase {
  /** In the order of the base, each with one update: scale * B A. */
  readonly tensors: readonly TensorInput[];
  readonly skipped: readonly SkippedTensor[];
  readonly rsLora: boolean;
  /** The rank of each tensor's update. */
  readonly ranks: readonly number[];
  readonly scales: readonly number[];
  /** Formats in which the base stores these tensors. */
  readonly formats: ReadonlySet<Format | "fp64">;
  /** Base tensors that the adapter does not touch. */
  readonly untouched: readonly StoredTensor[];
  /** Tensors that replace those of the base, by the base's names. */
  readonly replaced: ReadonlyMap<string, StoredTensor>;
  /** Every file that was opened. */
  readonly files: readonly string[];
  /** The metadata of the adapter's file. */
  readonly metadata: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export interface AdapterOptions {
  readonly strict?: boolean;
  /** A format to which updates are rounded before they are added; see LowRank. */
  readonly rounded?: Format | undefined;
}

/**
 * Opens a base and a PEFT adapter, with the adapter's products as updates of the base's weights. Reads no data.
 * Mismatches are excluded and listed with the reason.
 *
 * @param base anything that `openCheckpoint` opens.
 * @param adapter a folder with `adapter_config.json` and `adapter_model.safetensors` (or `.bin`), or one of these files.
 * @throws InputError if a file is not valid, if the adapter is not a LoRA of the form scale * B A, if nothing of it
 *   fits, or, with `strict`, if anything does not.
 */
export async function openAdapter(
  base: string,
  adapter: string,
  { strict = false, rounded }: AdapterOptions = {},
): Promise<AdapterOnBase> {
  await statPath(adapter, "the folder of a LoRA adapter");
  const folder = await adapterFolder(adapter);
  if (folder === null) {
    throw new InputError(adapter, `the folder of a LoRA adapter, with ${configName}`, "none");
  }
  const config = await readAdapterConfig(join(folder, configName));
  const opened: Checkpoint[] = [];
  const close = async () => {
    await Promise.all(opened.map((checkpoint) => checkpoint.close()));
  };
  try {
    opened.push(await openCheckpoint(await weightsIn(folder)), await openCheckpoint(base));
    const [factors, weights] = opened;
    const files = [...new Set(opened.flatMap((checkpoint) => [...checkpoint.files.keys()]))];
    files.push(join(folder, configName));
    return {
      ...bringOnto(weights, factors, config, { strict, rounded }),
      rsLora: config.rsLora,
      files,
      metadata: factors.metadata,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function weightsIn(folder: string): Promise<string> {
  for (const name of weightNames) if (await isThere(join(folder, name))) return join(folder, name);
  throw new InputError(folder, weightNames.join(" or "), "neither");
}

type Brought = Pick<
  AdapterOnBase,
  "tensors" | "skipped" | "ranks" | "scales" | "formats" | "untouched" | "replaced"
>;

function bringOnto(
  base: Checkpoint,
  adapter: Checkpoint,
  config: Awaited<ReturnType<typeof readAdapterConfig>>,
  { strict = false, rounded }: AdapterOptions,
): Brought {
  const list = new SkipList(strict);
  list.addUnnamed(base, false);
  const { modules, copies } = adapterTensors(adapter.tensors, adapter.path);
  const byWeight = new Map(modules.map((module) => [weightOf(module, base), module]));
  const named = new Map([...base.tensors].map(([name, { dtype }]) => [name, { name, dtype: dtype.name }]));
  const { codes } = scaledCodes(named);
  const tensors: TensorInput[] = [];
  const [ranks, scales]: [number[], number[]] = [[], []];
  const formats = new Set<Format | "fp64">();
  const untouched: StoredTensor[] = [];
  for (const weight of base.tensors.values()) {
    const module = byWeight.get(weight.name);
    if (module === undefined) {
      if (!copies.has(weight.name)) untouched.push(weight);
      continue;
    }
    const { rank, scale } = scaleOf(config, module.module);
    const product = productOf(module, rank, weight.shape, config.fanInFanOut);
    const reason =
      codes.get(weight.name)?.reason ??
      (weight.values === null
        ? `its dtype is ${weight.dtype.name}, not one of ${readableDtypes.join(", ")}`
        : typeof product === "string"
          ? product
          : null);
    if (reason !== null || typeof product === "string") {
      list.add(weight.file, weight.name, reason!, weight.elements);
      continue;
    }
    const { name, shape } = weight;
    tensors.push({
      name,
      shape,
      weights: weight.values!,
      updates: [lowRankValues({ ...product, rank, scale, ...(rounded && { rounded }) })],
    });
    ranks.push(rank);
    scales.push(scale);
    formats.add(weight.dtype.format!);
  }
  for (const [weight, { a }] of byWeight) {
    if (!base.tensors.has(weight)) list.add(a.file, weight, "has an adapter, but is not in the base");
  }
  for (const [name, { file }] of copies) {
    if (!base.tensors.has(name)) list.add(file, name, "is in the adapter as it is, but not in the base");
  }
  if (tensors.length === 0) {
    const found = `none${firstSkipped(list.tensors)}`;
    throw new InputError(adapter.path, `factors that fit a weight of ${quote(base.path)}`, found);
  }
  const replaced = new Map([...copies].filter(([name]) => base.tensors.has(name)));
  return { tensors, skipped: list.tensors, ranks, scales, formats, untouched, replaced };
}

/** The name of the weight of a module; for a bare parameter, the module's name itself. */
function weightOf({ module }: ModuleFactors, base: Checkpoint): string {
  const weight = `${module}.weight`;
  return !base.tensors.has(weight) && base.tensors.has(module) ? module : weight;
}

/** The same tensors with a second step that subtracts the update again. */
export function mergedAndUnmerged(tensors: readonly TensorInput[]): TensorInput[] {
  return tensors.map((tensor) => {
    const [update] = tensor.updates;
    return { ...tensor, updates: [update, lowRankValues(negated(originOf(update, "product")!))] };
  });
}
