import { readdir, readFile } from "node:fs/promises";
import { dirname, join, win32 } from "node:path";
import type { SkippedTensor } from "../lens/input.js";
import { printable } from "../lens/printable.js";
import { openContainer } from "./container.js";
import { InputError, quote } from "./input-error.js";
import { FilePool } from "./safetensors/file-pool.js";
import { longestHeader } from "./safetensors/header.js";
import { JsonReader } from "./safetensors/json.js";
import { joinShards, rankShard } from "./safetensors/sharded-tensors.js";
import type { Safetensors, StoredTensor } from "./safetensors/stored-tensor.js";
import { joinScales } from "./scaled/join-scales.js";
import { statFile, statPath, systemError } from "./system-error.js";
import { distributedMetadata, openDistributed } from "./torch/distributed-checkpoint.js";
import { openRanks, rankFiles } from "./torch/rank-files.js";

/** The tensors of a model: one file of safetensors or of torch.save, or several with an index. */
export interface Checkpoint extends Safetensors {
  /** As it was given. */
  readonly path: string;
  /** Tensors that lie in a shard where the index does not name them. */
  readonly skipped: readonly SkippedTensor[];
  /** Every file that was opened, an index too, and what it says of itself. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/** Files that stand for a folder: those of the first kind that it has. */
const kindsInFolders: readonly RegExp[] = [
  /\.safetensors\.index\.json$/,
  /\.safetensors$/,
  /\.bin\.index\.json$/,
  /^pytorch_model.*\.(?:bin|pt|pth)$/,
  // What trainers write beside a model.
  /^(?!training_args|optimizer|scheduler|scaler|rng_state|random_states).*\.(?:pt|pth|bin)$/,
];

/**
 * Opens a file of safetensors or of torch.save, an index of shards (`*.json`), or a folder: of torch.distributed.checkpoint,
 * of files that each rank saved, or one that holds exactly one index, or else exactly one such file, safetensors first. The
 * headers are read and checked, no data. The tensors come in the order of the headers, those of shards in the order of the
 * shards' names.
 *
 * @param path of the file, the index or the folder.
 * @returns tensors whose numbers are read when they are asked for, until it is closed.
 * @example
 * const checkpoint = await openCheckpoint("base.safetensors");
 * const { size } = checkpoint.tensors;
 * await checkpoint.close();
 * size; // 25
 * @throws InputError if that fails; every file is closed then.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const pool = new FilePool();
  try {
    const contents = await openContents(path, pool);
    const { tensors, skipped } = joinScales(contents.tensors);
    const left = [...contents.skipped, ...skipped];
    return { ...contents, tensors, skipped: left, path, close: () => pool.close() };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

const whatIsRead = "a file of safetensors or torch.save, its index, or a folder with one of them";

async function openContents(path: string, pool: FilePool): Promise<Contents> {
  if (!(await statPath(path, whatIsRead)).isDirectory()) return openFile(path, pool);
  const names = await readdir(path).catch((error) => {
    throw systemError(path, whatIsRead, error);
  });
  const inParts = await openParts(path, names.sort(), pool);
  return inParts ?? openFile(fileInFolder(path, names), pool);
}

function openFile(file: string, pool: FilePool): Promise<Contents> {
  return file.endsWith(".json") ? openSharded(file, pool) : openSingle(file, pool);
}

/** The model of a folder in which each rank saved its parts; null if it is none. */
async function openParts(folder: string, names: readonly string[], pool: FilePool): Promise<Contents | null> {
  const opened = new Map<string, ReadonlyMap<string, string>>();
  const open = (name: string) => {
    opened.set(join(folder, name), new Map());
    return pool.source(join(folder, name));
  };
  const contents = async (of: Safetensors | Promise<Safetensors>) => ({
    ...(await of),
    skipped: [],
    files: opened,
  });
  if (names.includes(distributedMetadata)) {
    return contents(openDistributed(await open(distributedMetadata), open, folder));
  }
  const ranks = rankFiles(folder, names);
  if (ranks !== null) return contents(openRanks(await Promise.all(ranks.map(open)), folder));
  const shards = names.filter((name) => rankShard.test(name));
  if (shards.length === 0) return null;
  const files = new Map<string, Safetensors>();
  for (const shard of shards) files.set(join(folder, shard), await openContainer(await open(shard)));
  return contents(joinShards(files, folder));
}

/** The file that stands for a folder. */
function fileInFolder(folder: string, names: readonly string[]): string {
  const found = kindsInFolders.map((kind) => names.filter((name) => kind.test(name)));
  const candidates = found.find((some) => some.length > 0) ?? [];
  if (candidates.length === 1) return join(folder, candidates[0]);
  if (candidates.length === 0) throw new InputError(folder, whatIsRead, "a folder with neither");
  const first = candidates.slice(0, 3).map(quote).join(", ");
  const more = candidates.length > 3 ? ", …" : "";
  throw new InputError(folder, whatIsRead, `${candidates.length} to choose from: ${first}${more}`);
}

type Contents = Omit<Checkpoint, "path" | "close">;

async function openSingle(file: string, pool: FilePool): Promise<Contents> {
  const contents = await openContainer(await pool.source(file));
  return { ...contents, skipped: [], files: new Map([[file, contents.metadata]]) };
}

async function openSharded(index: string, pool: FilePool): Promise<Contents> {
  const shardOf = await readIndex(index);
  const tensors = new Map<string, StoredTensor>();
  const metadata = new Map<string, string>();
  const skipped: SkippedTensor[] = [];
  const files = new Map<string, ReadonlyMap<string, string>>([[index, new Map()]]);
  for (const shard of [...new Set(shardOf.values())].sort()) {
    const file = join(dirname(index), shard);
    const contents = await openContainer(await pool.source(file));
    files.set(file, contents.metadata);
    for (const [key, value] of contents.metadata) metadata.set(key, value);
    for (const [name, tensor] of contents.tensors) {
      if (shardOf.get(name) === shard) tensors.set(name, tensor);
      else {
        const reason = `lies in ${quote(shard)}, where the index does not name it`;
        // The index may name it in another shard: then it is not missing.
        skipped.push({ name, reason, ...(!shardOf.has(name) && { elements: tensor.elements }) });
      }
    }
  }
  for (const [name, shard] of shardOf) {
    if (!tensors.has(name)) {
      throw new InputError(
        join(dirname(index), shard),
        `tensor ${quote(name)}, as its index says`,
        "none of that name",
      );
    }
  }
  return { tensors, metadata, skipped, files };
}

/** The shard of every tensor. */
async function readIndex(index: string): Promise<Map<string, string>> {
  const { size } = await statFile(index);
  if (size > longestHeader) {
    throw new InputError(index, `an index of at most ${longestHeader} bytes`, `a file of ${size} bytes`);
  }
  const bytes = await readFile(index).catch((error) => {
    throw systemError(index, "a file that can be read", error);
  });
  const reader = new JsonReader(bytes, index);
  let shardOf: Map<string, string> | undefined;
  reader.object((key) => {
    if (key !== "weight_map") return reader.skip();
    const map = new Map<string, string>();
    reader.object((tensor) => map.set(tensor, shardName(reader.string(), tensor, index)));
    shardOf = map;
  });
  reader.end();
  if (shardOf === undefined) throw new InputError(index, "a weight_map", "none");
  return shardOf;
}

/** A file name and nothing else: an index must not lead out of its folder, on any system. */
function shardName(shard: string, tensor: string, index: string): string {
  const plain = win32.basename(shard) === shard && printable(shard) === shard && shard.length <= 255;
  if (plain && ![".", "..", ""].includes(shard)) return shard;
  throw new InputError(index, `the file name of a shard for tensor ${quote(tensor)}`, quote(shard));
}
