/** Pickles and zip archives written by hand, independently of `src/source/torch/`, which reads them. */

const text = (value: string) => [...new TextEncoder().encode(value)];
const uint32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];

/** Parts of a pickle of protocol 2, as bytes. */
export const pickle = {
  string: (value: string) => [0x58, ...uint32(text(value).length), ...text(value)],
  integer: (value: number) => [0x4a, ...uint32(value)],
  long: (bytes: readonly number[]) => [0x8a, bytes.length, ...bytes],
  global: (module: string, name: string) => [0x63, ...text(`${module}\n${name}\n`)],
  tuple: (...items: readonly (readonly number[])[]) => [0x28, ...items.flat(), 0x74],
  dict: (...pairs: readonly (readonly number[])[]) => [0x7d, 0x28, ...pairs.flat(), 0x75],
  call: (callee: readonly number[], args: readonly number[]) => [...callee, ...args, 0x52],
  file: (value: readonly number[]) => Uint8Array.from([0x80, 2, ...value, 0x2e]),
  none: [0x4e],
  false: [0x89],
} as const;

export interface TensorPickle {
  readonly key?: string;
  readonly storage?: string;
  readonly elements?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
}

/** A tensor as torch.save has it: by default four fp32 numbers of `data/0`. */
export function tensorPickle({
  key = "0",
  storage = "FloatStorage",
  elements = 4,
  offset = 0,
  shape = [4],
  strides = [1],
}: TensorPickle = {}): number[] {
  const { call, global, integer, string, tuple } = pickle;
  const id = tuple(
    string("storage"),
    global("torch", storage),
    string(key),
    string("cpu"),
    integer(elements),
  );
  const sizes = (numbers: readonly number[]) => tuple(...numbers.map(integer));
  const hooks = call(global("collections", "OrderedDict"), tuple());
  return call(
    global("torch._utils", "_rebuild_tensor_v2"),
    tuple([...id, 0x51], integer(offset), sizes(shape), sizes(strides), pickle.false, hooks),
  );
}

export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** The size stated in the directory, if it is wrong. */
  readonly size?: number;
  readonly header?: number;
}

/** A zip archive. `count`, `offset` and `length` override the true values in its end record. */
export function zip(
  files: readonly ZipFile[],
  lie: { readonly count?: number; readonly offset?: number; readonly length?: number } = {},
): Uint8Array {
  const parts: number[] = [];
  const directory: number[] = [];
  const field = (size: number, value: number) =>
    Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
  for (const { name, data, method = 0, flags = 0, size = data.length, header = parts.length } of files) {
    const common = [...field(2, 0), ...field(2, flags), ...field(2, method), ...field(4, 0), ...field(4, 0)];
    const lengths = [...field(4, size), ...field(4, size), ...field(2, text(name).length), ...field(2, 0)];
    parts.push(...uint32(0x0403_4b50), ...common, ...lengths, ...text(name), ...data);
    directory.push(
      ...uint32(0x0201_4b50),
      ...field(2, 0),
      ...common,
      ...lengths,
      ...field(2, 0),
      ...field(2, 0),
      ...field(2, 0),
    );
    directory.push(...field(4, 0), ...field(4, header), ...text(name));
  }
  const { count = files.length, offset = parts.length, length = directory.length } = lie;
  const end = [
    ...field(2, 0),
    ...field(2, 0),
    ...field(2, count),
    ...field(2, count),
    ...field(4, length),
    ...field(4, offset),
  ];
  return Uint8Array.from([...parts, ...directory, ...uint32(0x0605_4b50), ...end, ...field(2, 0)]);
}

/** A file of torch.save: a pickle, and storages by key. */
export function torchFile(
  root: readonly number[],
  storages: Readonly<Record<string, Uint8Array>>,
  more: readonly ZipFile[] = [],
): Uint8Array {
  return zip([
    { name: "x/data.pkl", data: pickle.file(root) },
    { name: "x/byteorder", data: Uint8Array.from(text("little")) },
    ...Object.entries(storages).map(([key, data]) => ({ name: `x/data/${key}`, data })),
    ...more,
  ]);
}
