import { InputError, quote } from "../input-error.js";
import { joinedTensor, type StoredPart } from "../joined-tensor.js";
import type { ByteSource, Safetensors, StoredTensor } from "../safetensors/stored-tensor.js";
import { areSizes, field, isA, isSize } from "./fields.js";
import { TorchTensor, torchGlobals } from "./globals.js";
import { readPickle } from "./pickle.js";
import { isOptimizers, readTorch } from "./torch-file.js";
import type { PickleValue } from "./unpickler.js";

/** The file of a torch.distributed.checkpoint folder that describes the others. */
export const distributedMetadata = ".metadata";

const mostMetadataBytes = 200_000_000;

/** A part of a tensor and the byte range in which it was saved, a separate archive. */
interface Place {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly offsets: readonly number[];
}

/**
 * The weights of a torch.distributed.checkpoint folder. `.metadata`, a pickle, lists the parts of each tensor; each
 * part is a torch.save archive within a `*.distcp` file. Optimizer states are excluded.
 *
 * @param open opens a file of the folder by its name.
 * @throws InputError as openTorch, and for parts that are missing or do not fit together.
 */
export async function openDistributed(
  metadata: ByteSource,
  open: (name: string) => Promise<ByteSource>,
  folder: string,
): Promise<Safetensors> {
  if (metadata.size > mostMetadataBytes) {
    throw new InputError(metadata.name, `at most ${mostMetadataBytes} bytes`, `${metadata.size} bytes`);
  }
  const bytes = new Uint8Array(metadata.size);
  await metadata.read(0, bytes);
  const root = readPickle(bytes, torchGlobals, metadata.name);
  const [described, stored] = [field(root, "state_dict_metadata"), field(root, "storage_data")];
  if (!(described instanceof Map) || !(stored instanceof Map)) {
    throw new InputError(metadata.name, "the metadata of a distributed checkpoint", "another pickle");
  }
  const places = placesOf(stored, metadata.name);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of described) {
    const [shape, chunks] = [field(entry, "size"), field(entry, "chunks")];
    const isWeight =
      typeof name === "string" && isA(entry, "TensorStorageMetadata") && !isOptimizers(name.split(".")[0]);
    if (!isWeight) continue;
    if (!areSizes(shape) || !Array.isArray(chunks)) {
      throw new InputError(metadata.name, `shape and parts of ${quote(name)}`, "others");
    }
    const parts: StoredPart[] = [];
    for (const place of places.get(name) ?? []) {
      const chunk = chunks.find((candidate) => `${field(candidate, "offsets")}` === `${place.offsets}`);
      const sizes = field(chunk, "sizes");
      if (!areSizes(sizes))
        throw new InputError(metadata.name, `a part of ${quote(name)} from [${place.offsets}] on`, "none");
      const stored = await readPart(name, sizes, place, await open(place.file));
      parts.push({ offsets: place.offsets, sizes, stored });
    }
    if (parts.length === 0) throw new InputError(metadata.name, `parts of ${quote(name)}`, "none");
    tensors.set(name, joinedTensor(name, shape, parts, folder));
  }
  if (tensors.size === 0) throw new InputError(metadata.name, "tensors", "none");
  return { tensors, metadata: new Map() };
}

/** The locations of each tensor's parts, by name. */
function placesOf(stored: ReadonlyMap<PickleValue, PickleValue>, file: string): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const [index, info] of stored) {
    const [name, offsets] = [field(index, "fqn"), field(index, "offset")];
    const [path, offset, length] = ["relative_path", "offset", "length"].map((key) => field(info, key));
    // Entries without offset are bytes, not tensors.
    if (typeof name !== "string" || !areSizes(offsets)) continue;
    const isPlain = typeof path === "string" && !/[/\\]/.test(path) && path !== "." && path !== "..";
    if (!isPlain || !isSize(offset) || !isSize(length)) {
      throw new InputError(file, `the place of a part of ${quote(name)} in the folder`, quote(String(path)));
    }
    const known = places.get(name) ?? [];
    places.set(name, known);
    known.push({ file: path, offset, length, offsets });
  }
  return places;
}

async function readPart(
  name: string,
  sizes: readonly number[],
  place: Place,
  source: ByteSource,
): Promise<StoredTensor> {
  const { root, stored } = await readTorch(within(source, place));
  if (!(root instanceof TorchTensor) || `${root.shape}` !== `${sizes}`) {
    throw new InputError(
      source.name,
      `a part of ${quote(name)} of shape [${sizes}] at byte ${place.offset}`,
      "something else",
    );
  }
  return stored(name, root);
}

/** A byte range of a file as a source. */
function within(source: ByteSource, { offset, length }: Place): ByteSource {
  if (offset + length > source.size) {
    throw new InputError(
      source.name,
      `${length} bytes from byte ${offset} on`,
      `a file of ${source.size} bytes`,
    );
  }
  // Without the file's identity, because positions are not relative to that file.
  return {
    name: source.name,
    size: length,
    read: (position, into) => source.read(offset + position, into),
  };
}
