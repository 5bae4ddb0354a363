import { decodeTable } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { format as formatNamed, formatOf } from "../format/registry.js";
import type { Values } from "../lens/input.js";
import type { Case } from "../lens/run/case.js";
import { summarizeCase } from "../lens/run/summarize.js";
import { type BlockOptions, schemeSettings } from "../update/block-settings.js";
import type { LensJob } from "./engine.js";
import { selectEngine } from "./select.js";
import { expectCountable } from "./walk.js";

const fp32 = formatNamed("fp32");

/** Weights in memory: codes of a format of at most 16 bits, or fp32 numbers. */
export interface WeightArray {
  readonly format: Format | string;
  readonly data: Uint8Array | Uint16Array | Float32Array;
}

export interface LensOptions extends Omit<BlockOptions, "format"> {
  /** The storage format; default that of the weights. Formats with shared scales are given by name. */
  readonly format?: Format | string;
  /**
   * The shape of the weights, for blocks of shared scales; the last length is the row length. Default one
   * row.
   */
  readonly shape?: readonly number[];
  /** Default `auto`. */
  readonly engine?: string;
  /** Maximum number of threads; default one per core. Never changes a result. */
  readonly threads?: number;
  /** The name that keys the random bits of stochastic rounding; default empty. */
  readonly name?: string;
}

/**
 * Applies updates to weights in memory and counts the class of each.
 *
 * @param weights n codes (Uint8Array, Uint16Array), or n numbers for fp32 (Float32Array).
 * @param updates n fp32 numbers, added once; or one such array per step.
 * @param options the storage format if different from that of the weights, scheme, rounding, ...; engine and
 * threads.
 * @returns one case of a result, with one tensor.
 * @throws RangeError for unknown names, mismatched lengths or shape, invalid codes, and fewer than one
 * thread; TypeError for codes of the wrong width and updates that are not a Float32Array; EngineRefused for
 * an engine that is not available.
 * @example
 * const weights = { format: "bf16", data: Uint16Array.of(0x3f80, 0x3ca4) };
 * const { totals } = await lens(weights, Float32Array.of(0.01, 1e-6), { scheme: "kahan" });
 * [totals.moved, totals.kept]; // [1, 1]
 * @example
 * const weights = { format: "fp32", data: Float32Array.of(1.99, 0.375) };
 * const { totals } = await lens(weights, Float32Array.of(0.02, 0), { format: "mxfp4", scheme: "master" });
 * [totals.collateral, totals.zeros]; // [2, 1]
 */
export async function lens(
  weights: WeightArray,
  updates: Float32Array | readonly Float32Array[],
  options: LensOptions = {},
): Promise<Case> {
  const steps = updates instanceof Float32Array ? [updates] : updates;
  expectUpdates(steps);
  const { shape, ...rest } = options;
  const settings = schemeSettings({ ...rest, format: options.format ?? weights.format });
  const { length } = weights.data;
  if (shape && shape.reduce((product, n) => product * n, 1) !== length) {
    throw new RangeError(`shape: expected that of ${length} weights, found [${shape.join(", ")}]`);
  }
  const job: LensJob = {
    tensors: [
      {
        name: options.name ?? "",
        shape: shape ?? [length],
        weights: numbersOf(weights),
        updates: steps.map((data) => arrayValues(data, fp32)),
      },
    ],
    stepNumbers: steps.map((_, i) => i),
    cases: [settings],
    ...(options.threads !== undefined && { threads: options.threads }),
  };
  expectCountable(job);
  const { engine } = await selectEngine(options.engine ?? "auto", job);
  const [tally] = await engine.run(job);
  return summarizeCase(tally);
}

/** fp64 input would silently lose digits beyond fp32. */
function expectUpdates(steps: readonly unknown[]): void {
  const list = Array.isArray(steps) ? steps : [steps];
  const wrong = list.find((each) => !(each instanceof Float32Array));
  if (wrong === undefined && list === steps) return;
  const found = (wrong as object | null | undefined)?.constructor?.name ?? String(wrong);
  throw new TypeError(`updates: expected a Float32Array, or one for each step, found ${found}`);
}

function numbersOf({ format, data }: WeightArray): Values {
  const resolved = formatOf(format);
  if (data instanceof Float32Array) {
    if (resolved.bits !== 32)
      throw new TypeError(`weights in ${resolved.name}: expected codes, found a Float32Array`);
    return arrayValues(data, resolved);
  }
  if (resolved.bits > 16 || resolved.bits > 8 !== data instanceof Uint16Array) {
    const expected =
      resolved.bits > 16
        ? "Float32Array of numbers (fp32)"
        : resolved.bits > 8
          ? "Uint16Array"
          : "Uint8Array";
    throw new TypeError(
      `weights in ${resolved.name}: expected a ${expected}, found a ${data.constructor.name}`,
    );
  }
  const numbers = decodeTable(resolved);
  const fills = resolved.bits === 8 * data.BYTES_PER_ELEMENT;
  const stray = fills ? -1 : data.findIndex((code) => code >= numbers.length);
  if (stray >= 0) {
    throw new RangeError(
      `weights in ${resolved.name}: expected codes from 0 to ${numbers.length - 1}, found ${data[stray]} at index ${stray}`,
    );
  }
  return arrayValues(data, resolved, (code) => numbers[code]);
}

/** Numbers of a typed array. Other threads read shared memory directly. */
function arrayValues(data: WeightArray["data"], format: Format, decode = (x: number) => x): Values {
  const { buffer, byteOffset } = data;
  const shared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
  const whole = format.bits === 8 * data.BYTES_PER_ELEMENT;
  return {
    length: data.length,
    ...(shared && whole && { origin: { kind: "stored", of: { in: buffer, byteOffset, format } } }),
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = decode(data[start + i]);
    },
  };
}
