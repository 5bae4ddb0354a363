import { decodeTable } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { format as formatNamed } from "../format/registry.js";
import type { Values } from "../lens/input.js";
import type { Case } from "../lens/result.js";
import { summarizeCase } from "../lens/summarize.js";
import { type UpdateOptions, updateSettings } from "../update/settings.js";
import type { LensJob } from "./engine.js";
import { selectEngine } from "./select.js";

const fp32 = formatNamed("fp32");

/** Weights in memory: codes of a format of at most 16 bits, or fp32 numbers. */
export interface WeightArray {
  readonly format: Format | string;
  readonly data: Uint8Array | Uint16Array | Float32Array;
}

export interface LensOptions extends Omit<UpdateOptions, "format"> {
  /** The storage format; default that of the weights. */
  readonly format?: Format | string;
  /** Default `auto`. */
  readonly engine?: string;
  /** The name that the random bits of stochastic rounding are keyed by; default the empty name. */
  readonly name?: string;
}

/**
 * Applies updates to weights in memory and tells what became of each.
 *
 * @param weights n codes (Uint8Array, Uint16Array), or n numbers for fp32 (Float32Array).
 * @param updates n fp32 numbers, added once; or one such array for each step.
 * @returns one case of a result, with one tensor.
 * @throws RangeError for unknown names and arrays of other lengths; TypeError for codes of the wrong width.
 */
export async function lens(
  weights: WeightArray,
  updates: Float32Array | readonly Float32Array[],
  options: LensOptions = {},
): Promise<Case> {
  const steps = updates instanceof Float32Array ? [updates] : updates;
  const settings = updateSettings({ ...options, format: options.format ?? weights.format });
  const { length } = weights.data;
  const job: LensJob = {
    tensors: [
      {
        name: options.name ?? "",
        shape: [length],
        weights: numbersOf(weights),
        updates: steps.map((data) => arrayValues(data, fp32)),
      },
    ],
    stepNumbers: steps.map((_, i) => i),
    cases: [settings],
  };
  const { engine } = await selectEngine(options.engine ?? "auto", job);
  const [tally] = await engine.run(job);
  return summarizeCase(tally);
}

function numbersOf({ format, data }: WeightArray): Values {
  const of = typeof format === "string" ? formatNamed(format) : format;
  if (data instanceof Float32Array) {
    if (of.bits !== 32) throw new TypeError(`weights in ${of.name}: expected codes, found a Float32Array`);
    return arrayValues(data, of);
  }
  if (of.bits > 16 || of.bits > 8 !== data instanceof Uint16Array) {
    const expected =
      of.bits > 16 ? "Float32Array of numbers (fp32)" : of.bits > 8 ? "Uint16Array" : "Uint8Array";
    throw new TypeError(`weights in ${of.name}: expected a ${expected}, found a ${data.constructor.name}`);
  }
  const numbers = decodeTable(of);
  return arrayValues(data, of, (code) => numbers[code]);
}

/** Numbers of a typed array. Other threads read them where they lie if that is shared memory. */
function arrayValues(data: WeightArray["data"], of: Format, decode = (x: number) => x): Values {
  const { buffer, byteOffset } = data;
  const shared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
  const whole = of.bits === 8 * data.BYTES_PER_ELEMENT;
  return {
    length: data.length,
    ...(shared && whole && { stored: { in: buffer, byteOffset, format: of } }),
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = decode(data[start + i]);
    },
  };
}
