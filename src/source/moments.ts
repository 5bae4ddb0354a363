import type { MomentKind, TensorInput, TensorOptimizer } from "../lens/input.js";
import type { Checkpoint } from "./checkpoint.js";
import { InputError, quote } from "./input-error.js";
import { readableDtypes } from "./safetensors/dtype.js";
import { shapeText } from "./safetensors/header.js";

/** An optimizer's states before the first recorded step. */
export type RecordedMoments = Pick<TensorOptimizer, "moments" | "stepsTaken">;

const prefixes: Readonly<Record<MomentKind, string>> = { M: "m", V: "v" };

/**
 * The moments of a tensor in a file of them: tensors `m/<name>` and `v/<name>` of the shape of the weight, and the steps taken
 * in the metadata: `t`, or `t/<name>` for a tensor that took another number of them.
 *
 * @param needed the moments that the optimizer has.
 * @throws InputError if one of them is missing, of another shape, or no numbers; or if the steps taken are.
 */
export function momentsOf(
  { name, shape }: TensorInput,
  file: Checkpoint,
  needed: readonly MomentKind[],
): RecordedMoments {
  const moments = needed.map((kind) => {
    const momentName = `${prefixes[kind]}/${name}`;
    const tensor = file.tensors.get(momentName);
    if (tensor === undefined)
      throw new InputError(file.path, `the moments of every tensor`, `none named ${quote(momentName)}`);
    if (shapeText(tensor.shape) !== shapeText(shape)) {
      const expected = `shape ${shapeText(shape)} of ${quote(momentName)}, as its weight has`;
      throw new InputError(tensor.file, expected, shapeText(tensor.shape));
    }
    if (tensor.values === null) {
      const expected = `${quote(momentName)} as one of ${readableDtypes.join(", ")}`;
      throw new InputError(tensor.file, expected, tensor.dtype.name);
    }
    return [kind, tensor.values] as const;
  });
  return { moments: Object.fromEntries(moments), stepsTaken: stepsTaken(name, file) };
}

function stepsTaken(tensor: string, { path, metadata }: Checkpoint): number {
  const text = metadata.get(`t/${tensor}`) ?? metadata.get("t");
  const t = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(t)) return t;
  const found = text === undefined ? "none" : quote(text);
  throw new InputError(path, 'the number of steps taken as "t" in its metadata', found);
}
