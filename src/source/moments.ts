import type { MomentKind, TensorInput, TensorOptimizer } from "../lens/input.js";
import type { Checkpoint } from "./checkpoint.js";
import { InputError, quote } from "./input-error.js";
import { readableDtypes } from "./safetensors/dtype.js";
import { shapeText } from "./safetensors/header.js";

/** An optimizer's states before the first recorded step. */
export type RecordedMoments = Pick<TensorOptimizer, "moments" | "stepsTaken">;

const prefixes: Readonly<Record<MomentKind, string>> = { M: "m", V: "v" };

/**
 * The moments of a tensor from a moments file: tensors `m/<name>` and `v/<name>` with the shape of the weight. The
 * metadata has the number of steps taken: `t`, or `t/<name>` for a tensor with a different number.
 *
 * @param needed the moments that the optimizer has.
 * @throws InputError if a moment is missing, has another shape or an unreadable dtype; or if `t` is missing or invalid.
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
