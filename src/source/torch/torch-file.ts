import { InputError, quote } from "../input-error.js";
import {
  type ByteSource,
  type Safetensors,
  type StoredTensor,
  storedValues,
} from "../safetensors/stored-tensor.js";
import { isA } from "./fields.js";
import { TorchTensor, torchGlobals } from "./globals.js";
import { readPickle } from "./pickle.js";
import { stridedValues } from "./strided.js";
import type { PickleDict, PickleRecord, PickleValue } from "./unpickler.js";
import { readZip, type ZipEntry } from "./zip.js";

/** The maximum size of a pickle, which takes about 300 bytes per tensor. */
const mostPickleBytes = 200_000_000;
/** The maximum nesting of containers. */
const deepest = 64;

/** Keys of a trainer's checkpoint whose tensors are not weights. */
const notWeights =
  /^(?:optim|optimizers?|opt|lr_schedulers?|schedulers?|(?:grad_)?scaler|(?:\w+_)?rng)(?:_states?)?(?:_dict)?$/i;

/** The contents of a torch.save file. */
export interface TorchFile {
  readonly root: PickleValue;
  /** @throws InputError for a tensor that exceeds its storage. */
  stored(name: string, tensor: TorchTensor): StoredTensor;
}

/**
 * Opens a torch.save file: a zip archive with the tensors' storages and a pickle that describes the tensors. Reads only
 * the pickle, which may build tensors and plain containers; nothing is run.
 *
 * @throws InputError if it is not such a file, or if it names anything but tensors and plain values.
 */
export async function readTorch(source: ByteSource): Promise<TorchFile> {
  const entries = await readZip(source);
  const pickle = picklePath(entries, source.name);
  const prefix = pickle.name.slice(0, -"data.pkl".length);
  await expectLittleEndian(entries.get(`${prefix}byteorder`), source);
  if (pickle.size > mostPickleBytes) {
    throw new InputError(source.name, `a pickle of at most ${mostPickleBytes} bytes`, `${pickle.size} bytes`);
  }
  const bytes = new Uint8Array(pickle.size);
  await source.read(pickle.begin, bytes);
  return {
    root: readPickle(bytes, torchGlobals, source.name),
    stored: (name, tensor) =>
      storedTensor(name, tensor, entries.get(`${prefix}data/${tensor.storage.key}`), source),
  };
}

/**
 * The weights in a torch.save file, without optimizer states. Searches containers of tensors within the file, such as
 * `model` or `state_dict`; if there are several, tensor names are prefixed with the container's key.
 *
 * @throws InputError as {@link readTorch}; for parts of tensors, and for tensors that exceed their storages.
 */
export async function openTorch(source: ByteSource): Promise<Safetensors> {
  const file = await readTorch(source);
  const { found, within } = weightsOf(file.root, source.name);
  const tensors = [...found].map(([name, value]): [string, StoredTensor] => {
    if (value instanceof TorchTensor) return [name, file.stored(name, value)];
    throw new InputError(
      source.name,
      "whole tensors",
      `a part of ${quote(name)}: give the folder of all ranks`,
    );
  });
  return { tensors: new Map(tensors), metadata: new Map(), ...(within !== undefined && { within }) };
}

function picklePath(entries: ReadonlyMap<string, ZipEntry>, name: string): ZipEntry {
  const pickles = [...entries.values()].filter((entry) => /^[^/]+\/data\.pkl$/.test(entry.name));
  if ([...entries.keys()].some((path) => /^[^/]+\/(?:code|constants\.pkl)/.test(path))) {
    throw new InputError(name, "tensors saved by torch.save", "a TorchScript program: save its state_dict()");
  }
  if (pickles.length === 1) return pickles[0];
  throw new InputError(
    name,
    "a file of torch.save, with one data.pkl",
    `a zip archive with ${pickles.length || "none"}`,
  );
}

async function expectLittleEndian(entry: ZipEntry | undefined, source: ByteSource): Promise<void> {
  if (entry === undefined) return;
  const bytes = new Uint8Array(Math.min(entry.size, 16));
  await source.read(entry.begin, bytes);
  const order = new TextDecoder().decode(bytes);
  if (order !== "little")
    throw new InputError(source.name, "little-endian numbers", `the byte order ${quote(order)}`);
}

/** A tensor, or the record of a tensor whose parts are in several files. */
export type FoundTensor = TorchTensor | PickleRecord;

export interface FoundWeights {
  readonly found: ReadonlyMap<string, FoundTensor>;
  /** The container with the tensors. */
  readonly within?: string;
}

/**
 * The tensors of a file by name, without optimizer states.
 *
 * @throws InputError if there are none.
 */
export function weightsOf(root: PickleValue, file: string): FoundWeights {
  if (!isContainer(root)) {
    throw new InputError(
      file,
      "a dictionary of tensors",
      isTensor(root) ? "one tensor without a name" : "none",
    );
  }
  const parts = entriesOf(root).filter(([key, value]) => !(isContainer(value) && isOptimizers(key)));
  // A container that occurs repeatedly, or within itself, is searched once.
  const entered = new Set<PickleValue>([root]);
  const named = parts.map(([key, value]) => ({ key, value, found: collect(value, key, entered, file) }));
  const holding = named.filter(({ found }) => found.size > 0);
  if (holding.length === 0) throw new InputError(file, "tensors", "none");
  const [only] = holding;
  if (holding.length === 1 && isContainer(only.value)) {
    const found = [...only.found].map(([name, tensor]) => [name.slice(only.key.length + 1), tensor] as const);
    return { found: new Map(found), within: only.key };
  }
  return { found: new Map(holding.flatMap(({ found }) => [...found])) };
}

/** Whether the tensors under a key of a checkpoint are not weights. */
export function isOptimizers(key: string): boolean {
  return notWeights.test(key);
}

/** The tensors within a value, by path. */
function collect(
  value: PickleValue,
  path: string,
  entered: Set<PickleValue>,
  file: string,
): Map<string, FoundTensor> {
  const found = new Map<string, FoundTensor>();
  const enter = (inner: PickleValue, at: string, depth: number): void => {
    if (isTensor(inner)) {
      found.set(at, inner);
    } else if (isContainer(inner) && !entered.has(inner)) {
      if (depth > deepest)
        throw new InputError(file, `at most ${deepest} containers within each other`, "more");
      entered.add(inner);
      for (const [key, part] of entriesOf(inner)) enter(part, `${at}.${key}`, depth + 1);
    }
  };
  enter(value, path, 0);
  return found;
}

function isTensor(value: PickleValue): value is FoundTensor {
  return value instanceof TorchTensor || isA(value, "DTensor");
}

function isContainer(value: PickleValue): value is PickleDict | PickleValue[] {
  return value instanceof Map || Array.isArray(value);
}

/** The entries by key, without keys that are neither strings nor numbers. */
function entriesOf(container: PickleDict | PickleValue[]): [string, PickleValue][] {
  const entries = Array.isArray(container) ? container.entries() : container.entries();
  return [...entries].flatMap(([key, value]): [string, PickleValue][] =>
    typeof key === "string" || typeof key === "number" ? [[String(key), value]] : [],
  );
}

function storedTensor(
  name: string,
  tensor: TorchTensor,
  entry: ZipEntry | undefined,
  source: ByteSource,
): StoredTensor {
  const { storage, offset, shape, strides, dtype } = tensor;
  const where = `the storage of ${quote(name)}`;
  if (entry === undefined)
    throw new InputError(source.name, `${quote(`data/${storage.key}`)}, ${where}`, "none");
  if (dtype === null) throw new InputError(source.name, `a dtype for ${quote(name)}`, "none");
  const width = dtype.bits / 8;
  const capacity = Math.floor(entry.size / width);
  const elements = shape.reduce((product, size) => product * size, 1);
  if (!(elements <= 2 ** 53))
    throw new InputError(source.name, `a shape of fewer than 2^53 elements for ${quote(name)}`, `[${shape}]`);
  const saidBytes = storage.elements * (storage.dtype === null ? 1 : width);
  if (saidBytes !== entry.size) {
    throw new InputError(source.name, `${saidBytes} bytes in ${where}`, `${entry.size} bytes`);
  }
  const last = shape.reduce((place, size, d) => place + (size - 1) * strides[d], offset);
  if (elements > 0 && !(last < capacity)) {
    throw new InputError(
      source.name,
      `${quote(name)} within the ${capacity} elements of its storage`,
      `element ${last}`,
    );
  }
  const common = { name, dtype, shape, elements, file: source.name };
  if (isContiguous(shape, strides)) {
    const begin = entry.begin + offset * width;
    return { ...common, begin, source, values: storedValues({ dtype, elements, begin }, source) };
  }
  const whole = storedValues({ dtype, elements: capacity, begin: entry.begin }, source);
  return { ...common, begin: null, values: whole && stridedValues(whole, offset, shape, strides) };
}

/** Whether elements are contiguous in row-major order. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] > 1 && strides[d] !== expected) return false;
    expected *= shape[d];
  }
  return true;
}
