import { InputError, quote } from "../input-error.js";
import { joinedTensor, type StoredPart } from "../joined-tensor.js";
import type { ByteSource, Safetensors, StoredTensor } from "../safetensors/stored-tensor.js";
import { areSizes, field, isA, isSize } from "./fields.js";
import { TorchTensor } from "./globals.js";
import { readTorch, type TorchFile, weightsOf } from "./torch-file.js";
import type { PickleRecord } from "./unpickler.js";

const rankFile = /^model_world_size_(\d+)_rank_(\d+)\.pt$/;

/**
 * The files in which each rank saved its parts of a model (verl: `model_world_size_N_rank_R.pt`), in rank order; null
 * if there are none.
 *
 * @throws InputError if the file of a rank is missing.
 */
export function rankFiles(folder: string, names: readonly string[]): string[] | null {
  const matches = names.flatMap((name) => rankFile.exec(name) ?? []);
  const [first] = names.flatMap((name) => rankFile.exec(name)?.slice(1, 2) ?? []);
  if (matches.length === 0) return null;
  const size = Number(first);
  return Array.from({ length: size }, (_, rank) => {
    const name = `model_world_size_${size}_rank_${rank}.pt`;
    if (!names.includes(name)) throw new InputError(folder, `${quote(name)}, one of ${size}`, "no such file");
    return name;
  });
}

/** A rank's part of a tensor, and the properties of the whole. */
interface Part extends StoredPart {
  readonly shape: readonly number[];
}

/**
 * The weights saved by several ranks, joined from their parts. Replicated tensors are read from the first rank.
 *
 * @throws InputError as openTorch; if parts do not fit together, or if their records do not describe the sharding.
 */
export async function openRanks(sources: readonly ByteSource[], folder: string): Promise<Safetensors> {
  const parts = new Map<string, Part[]>();
  let within: string | undefined;
  for (const [rank, source] of sources.entries()) {
    const file = await readTorch(source);
    const weights = weightsOf(file.root, source.name);
    within ??= weights.within;
    for (const [name, value] of weights.found) {
      const part =
        value instanceof TorchTensor
          ? whole(file.stored(name, value))
          : partOf(name, value, rank, file, source.name);
      const known = parts.get(name) ?? [];
      parts.set(name, known);
      if (!known.some(({ offsets, sizes }) => `${offsets} ${sizes}` === `${part.offsets} ${part.sizes}`))
        known.push(part);
    }
  }
  const tensors = [...parts].map(
    ([name, ofTensor]) => [name, joinedTensor(name, ofTensor[0].shape, ofTensor, folder)] as const,
  );
  return { tensors: new Map(tensors), metadata: new Map(), ...(within !== undefined && { within }) };
}

function whole(stored: StoredTensor): Part {
  const { shape } = stored;
  return { shape, offsets: shape.map(() => 0), sizes: shape, stored };
}

/** The part of a DTensor on a rank. */
function partOf(name: string, dtensor: PickleRecord, rank: number, file: TorchFile, source: string): Part {
  const state = Array.isArray(dtensor.state)
    ? dtensor.state.find((value) => value instanceof Map)
    : dtensor.state;
  const [local, spec] = state instanceof Map ? [state.get("_local_tensor"), state.get("_spec")] : [];
  const shape = isA(field(spec, "tensor_meta"), "TensorMeta")
    ? (field(spec, "tensor_meta") as PickleRecord).arguments[0]
    : null;
  const placements = field(spec, "placements");
  if (!(local instanceof TorchTensor) || !areSizes(shape ?? undefined) || !Array.isArray(placements)) {
    throw new InputError(source, `a DTensor ${quote(name)} with its shape and placements`, "another record");
  }
  const mesh = field(spec, "mesh");
  const coordinates = coordinatesOf(mesh, rank, placements.length);
  const lengths = meshLengths(mesh, placements.length);
  if (coordinates === null || lengths === null) {
    throw new InputError(source, `the coordinates of rank ${rank} in the mesh of ${quote(name)}`, "none");
  }
  const sizes = [...(shape as number[])];
  const offsets = sizes.map(() => 0);
  for (const [d, placement] of placements.entries()) {
    if (isA(placement, "Replicate")) continue;
    const dim = field(placement, "dim");
    if (!isA(placement, "Shard") || !isSize(dim) || dim >= sizes.length) {
      throw new InputError(source, `parts of ${quote(name)} by Shard or Replicate`, "another placement");
    }
    // As in torch.chunk, all parts but the last ones have the length of the first.
    const chunk = Math.ceil(sizes[dim] / lengths[d]);
    const from = Math.min(coordinates[d] * chunk, sizes[dim]);
    offsets[dim] += from;
    sizes[dim] = Math.min(chunk, sizes[dim] - from);
  }
  if (`${local.shape}` !== `${sizes}`) {
    throw new InputError(
      source,
      `the part [${sizes}] of ${quote(name)} on rank ${rank}`,
      `one of shape [${local.shape}]`,
    );
  }
  return { shape: shape as number[], offsets, sizes, stored: file.stored(name, local) };
}

/** The coordinates of a rank in a mesh; null if the mesh does not state them and has several dimensions. */
function coordinatesOf(mesh: unknown, rank: number, dimensions: number): readonly number[] | null {
  const told = field(mesh as PickleRecord, "_coordinate_on_dim");
  if (areSizes(told) && told.length === dimensions) return told;
  return dimensions === 1 ? [rank] : null;
}

function meshLengths(mesh: unknown, dimensions: number): readonly number[] | null {
  const record = mesh as PickleRecord;
  for (const name of ["_rank_map", "mesh", "_mesh"]) {
    const map = field(record, name);
    if (map instanceof TorchTensor && map.shape.length === dimensions) return map.shape;
  }
  return null;
}
