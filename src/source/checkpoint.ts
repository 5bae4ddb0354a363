import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { SkippedTensor } from "../lens/input.js";
import { openContainer } from "./container.js";
import { FilePool } from "./file-pool.js";
import { mainSnapshot, modelIn, whatIsRead } from "./folder.js";
import { quote } from "./input-error.js";
import { followed } from "./links.js";
import { joinShards, rankShard } from "./safetensors/sharded-tensors.js";
import type { Safetensors } from "./safetensors/stored-tensor.js";
import { joinScales } from "./scaled/join-scales.js";
import { openIndexed, openNumbered } from "./shards.js";
import { statPath, systemError } from "./system-error.js";
import { distributedMetadata, openDistributed } from "./torch/distributed-checkpoint.js";
import { openRanks, rankFiles } from "./torch/rank-files.js";

/** The tensors of a model: one file of safetensors or of torch.save, or several with an index. */
export interface Checkpoint extends Safetensors {
  /** As given. */
  readonly path: string;
  /** Tensors missing from the index or from the files, and scales that are not read. */
  readonly skipped: readonly SkippedTensor[];
  /** Notes such as which of several files was used: sentences without a full stop. */
  readonly notes: readonly string[];
  /** Every opened file, including an index, with its metadata. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/**
 * Opens a file of safetensors or of torch.save, an index of shards (`*.json`), or a folder: of
 * torch.distributed.checkpoint, of files that each rank saved, of a model in the hub's cache, or one with a
 * model: `model.safetensors`, its index, the only index, the only file, or numbered shards. Headers are read
 * and checked, no data. Tensors are in header order, shards in name order. Codes and their scales are one
 * tensor.
 *
 * @param path the file, the index or the folder.
 * @returns tensors whose numbers are read on demand, until it is closed.
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

async function openContents(path: string, pool: FilePool): Promise<Contents> {
  if (!(await statPath(path, whatIsRead)).isDirectory()) return openFile(path, pool);
  const names = await readdir(path).catch((error) => {
    throw systemError(path, whatIsRead, error);
  });
  const snapshot = await mainSnapshot(path, names);
  if (snapshot !== null) {
    const contents = await openContents(snapshot, pool);
    return {
      ...contents,
      notes: [`${quote(relative(path, snapshot))} was taken, as refs/main says`, ...contents.notes],
    };
  }
  const inParts = await openParts(path, names.sort(), pool);
  if (inParts !== null) return inParts;
  const { files, note } = modelIn(path, names);
  const contents = await (files.length > 1 ? openNumbered(files, pool) : openFile(files[0], pool));
  return note === null ? contents : { ...contents, notes: [note, ...contents.notes] };
}

async function openFile(file: string, pool: FilePool): Promise<Contents> {
  if (file.endsWith(".json")) return openIndexed(file, pool);
  const source = await pool.source(await followed(file));
  const contents = await openContainer(source);
  return { ...contents, skipped: [], notes: [], files: new Map([[source.name, contents.metadata]]) };
}

/** The model of a folder with one file per rank; null for any other folder. */
async function openParts(folder: string, names: readonly string[], pool: FilePool): Promise<Contents | null> {
  const opened = new Map<string, ReadonlyMap<string, string>>();
  const open = (name: string) => {
    opened.set(join(folder, name), new Map());
    return pool.source(join(folder, name));
  };
  const contents = async (file: Safetensors | Promise<Safetensors>) => ({
    ...(await file),
    skipped: [],
    notes: [],
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

type Contents = Omit<Checkpoint, "path" | "close">;
