import { type Dtype, dtypes } from "../safetensors/dtype.js";
import { areSizes, isSize } from "./fields.js";
import type { Globals, PickleValue } from "./unpickler.js";

/** The bytes of one or more tensors: a file of the archive. */
export class TorchStorage {
  constructor(
    /** The name of its file in `data/`. */
    readonly key: string,
    /** Null for an untyped storage, whose tensors state their dtype. */
    readonly dtype: Dtype | null,
    /** The number of elements, or of bytes if untyped. */
    readonly elements: number,
  ) {}
}

/** A view of a storage. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    /** In elements, like the strides. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly dtype: Dtype | null,
  ) {}
}

/** The safetensors name of a torch dtype, and the class of its storages if it has one. */
const torchDtypes: Readonly<Record<string, readonly [dtype: string, storage?: string]>> = {
  float64: ["F64", "DoubleStorage"],
  float32: ["F32", "FloatStorage"],
  float16: ["F16", "HalfStorage"],
  bfloat16: ["BF16", "BFloat16Storage"],
  float8_e4m3fn: ["F8_E4M3"],
  float8_e5m2: ["F8_E5M2"],
  float8_e4m3fnuz: ["F8_E4M3FNUZ"],
  float8_e5m2fnuz: ["F8_E5M2FNUZ"],
  float8_e8m0fnu: ["F8_E8M0"],
  int64: ["I64", "LongStorage"],
  int32: ["I32", "IntStorage"],
  int16: ["I16", "ShortStorage"],
  int8: ["I8", "CharStorage"],
  uint8: ["U8", "ByteStorage"],
  uint16: ["U16"],
  uint32: ["U32"],
  uint64: ["U64"],
  bool: ["BOOL", "BoolStorage"],
  complex64: ["C64", "ComplexFloatStorage"],
};

const dtypeOf = new Map<string, Dtype>();
const storageDtypes = new Map<string, Dtype | null>([
  ["torch.storage UntypedStorage", null],
  ["torch UntypedStorage", null],
]);
for (const [name, [safetensorsName, storage]] of Object.entries(torchDtypes)) {
  const dtype = dtypes.get(safetensorsName)!;
  dtypeOf.set(`torch ${name}`, dtype);
  if (storage) storageDtypes.set(`torch ${storage}`, dtype);
}

/** The class of a storage in a persistent id. */
class StorageClass {
  constructor(readonly dtype: Dtype | null) {}
}

class TorchDtype {
  constructor(readonly dtype: Dtype) {}
}

const inert = () => null;

/** The globals in torch.save files: those of tensors and their containers. */
export const torchGlobals: Globals = {
  functions: {
    "torch._utils _rebuild_tensor": tensor,
    "torch._utils _rebuild_tensor_v2": tensor,
    "torch._utils _rebuild_tensor_v3": (storage, offset, shape, strides, _, __, dtype) =>
      dtype instanceof TorchDtype ? tensor(storage, offset, shape, strides, dtype.dtype) : undefined,
    "torch._utils _rebuild_parameter": (data) => data,
    "torch._utils _rebuild_parameter_with_state": (data) => data,
    // Calls the function passed to it, which must be one of these too: see pickle.ts.
    "torch._tensor _rebuild_from_type_v2": () => undefined,
    // A tensor subclass, whose parts follow as its state.
    "torch._utils _rebuild_wrapper_subclass": (type) => ({
      record: String(type),
      arguments: [],
      state: null,
    }),
    "torch Size": (sizes = []) => sizes,
    "torch device": inert,
    "torch.serialization _get_layout": inert,
    "torch.distributed.checkpoint.metadata _MEM_FORMAT_ENCODING": inert,
    "pathlib PosixPath": (...parts) => parts,
    "pathlib PurePosixPath": (...parts) => parts,
    "pathlib WindowsPath": (...parts) => parts,
    "collections OrderedDict": (pairs = []) =>
      Array.isArray(pairs) && pairs.every((pair) => Array.isArray(pair) && pair.length === 2)
        ? new Map(pairs as [PickleValue, PickleValue][])
        : undefined,
    "collections defaultdict": () => new Map(),
    "collections deque": (values = []) => values,
    "_codecs encode": (text) => text,
    "__builtin__ set": (values = []) => values,
    "builtins set": (values = []) => values,
    "builtins frozenset": (values = []) => values,
    "builtins complex": inert,
  },
  records: new Set([
    "torch.nn.parameter Parameter",
    "torch Tensor",
    "torch.distributed.checkpoint.filesystem _StorageInfo",
    "torch.distributed.checkpoint.filesystem _StoragePrefix",
    "torch.distributed.checkpoint.metadata BytesStorageMetadata",
    "torch.distributed.checkpoint.metadata ChunkStorageMetadata",
    "torch.distributed.checkpoint.metadata Metadata",
    "torch.distributed.checkpoint.metadata MetadataIndex",
    "torch.distributed.checkpoint.metadata StorageMeta",
    "torch.distributed.checkpoint.metadata TensorProperties",
    "torch.distributed.checkpoint.metadata TensorStorageMetadata",
    "torch.distributed._mesh_layout _FlatLayout",
    "torch.distributed._mesh_layout _MeshLayout",
    "torch.distributed.device_mesh DeviceMesh",
    "torch.distributed.tensor DTensor",
    "torch.distributed.tensor._dtensor_spec DTensorSpec",
    "torch.distributed.tensor._dtensor_spec ShardOrderEntry",
    "torch.distributed.tensor._dtensor_spec TensorMeta",
    "torch.distributed.tensor.placement_types Replicate",
    "torch.distributed.tensor.placement_types Shard",
  ]),
  constant(name) {
    const dtype = dtypeOf.get(name);
    if (dtype) return new TorchDtype(dtype);
    const ofStorage = storageDtypes.get(name);
    return ofStorage === undefined ? undefined : new StorageClass(ofStorage);
  },
  persistent(id) {
    if (!Array.isArray(id)) return undefined;
    const [kind, type, key, , elements] = id;
    const isStorage = kind === "storage" && type instanceof StorageClass && typeof key === "string";
    return isStorage && isSize(elements) ? new TorchStorage(key, type.dtype, elements) : undefined;
  },
};

function tensor(
  storage?: PickleValue,
  offset?: PickleValue,
  shape?: PickleValue,
  strides?: PickleValue,
  dtype?: PickleValue,
): TorchTensor | undefined {
  if (!(storage instanceof TorchStorage) || !isSize(offset) || !areSizes(shape) || !areSizes(strides))
    return undefined;
  if (shape.length !== strides.length) return undefined;
  const own =
    typeof dtype === "object" && dtype !== null && "bits" in dtype ? (dtype as Dtype) : storage.dtype;
  return new TorchTensor(storage, offset, shape, strides, own);
}
