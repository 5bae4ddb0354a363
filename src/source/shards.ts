import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, win32 } from "node:path";
import type { SkippedTensor } from "../lens/input.js";
import { printable } from "../lens/printable.js";
import { openContainer } from "./container.js";
import type { FilePool } from "./file-pool.js";
import { InputError, quote } from "./input-error.js";
import { followed } from "./links.js";
import { longestHeader } from "./safetensors/header.js";
import { JsonReader } from "./safetensors/json.js";
import type { Safetensors, StoredTensor } from "./safetensors/stored-tensor.js";
import { statFile, systemError } from "./system-error.js";

/** The joint contents of shards. */
export interface Shards extends Safetensors {
  readonly skipped: readonly SkippedTensor[];
  readonly notes: readonly string[];
  readonly files: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/**
 * The tensors of an index of shards. Tensors missing from the shards, or present in shards but not in the
 * index, are excluded.
 *
 * @throws InputError if the index or a shard that it names is not valid.
 */
export async function openIndexed(index: string, pool: FilePool): Promise<Shards> {
  const shardOf = await readIndex(index);
  const folder = dirname(index);
  const tensors = new Map<string, StoredTensor>();
  const metadata = new Map<string, string>();
  const skipped: SkippedTensor[] = [];
  const files = new Map<string, ReadonlyMap<string, string>>([[index, new Map()]]);
  const shards = [...new Set(shardOf.values())].sort();
  const beside = await unnamedShards(index, shards);
  const open = async (shard: string) => {
    const source = await pool.source(await followed(join(folder, shard)));
    const contents = await openContainer(source);
    files.set(source.name, contents.metadata);
    return contents;
  };
  for (const shard of shards) {
    const contents = await open(shard);
    for (const [key, value] of contents.metadata) metadata.set(key, value);
    for (const [name, tensor] of contents.tensors) {
      if (shardOf.get(name) === shard) tensors.set(name, tensor);
      else {
        const reason = `lies in ${quote(shard)}, where the index does not name it`;
        // The index may place it in another shard, where it is not missing.
        skipped.push({ name, reason, ...(!shardOf.has(name) && { elements: tensor.elements }) });
      }
    }
  }
  for (const [name, shard] of shardOf) {
    if (tensors.has(name)) continue;
    skipped.push({ name, reason: `is named by the index in ${quote(shard)}, which does not have it` });
  }
  for (const shard of beside.ofModel) {
    for (const { name, elements } of (await open(shard)).tensors.values()) {
      const reason = `lies in ${quote(shard)}, which the index does not name`;
      skipped.push({ name, reason, ...(!shardOf.has(name) && { elements }) });
    }
  }
  return { tensors, metadata, skipped, notes: beside.notes, files };
}

/** The tensors of numbered shards without an index. @throws InputError if a shard is not valid, or a tensor is in two. */
export async function openNumbered(shards: readonly string[], pool: FilePool): Promise<Shards> {
  const tensors = new Map<string, StoredTensor>();
  const metadata = new Map<string, string>();
  const files = new Map<string, ReadonlyMap<string, string>>();
  for (const shard of shards) {
    const source = await pool.source(await followed(shard));
    const contents = await openContainer(source);
    files.set(source.name, contents.metadata);
    for (const [key, value] of contents.metadata) metadata.set(key, value);
    for (const [name, tensor] of contents.tensors) {
      const twin = tensors.get(name);
      if (twin)
        throw new InputError(shard, `${quote(name)} in one shard`, `it in ${quote(basename(twin.file))} too`);
      tensors.set(name, tensor);
    }
  }
  return { tensors, metadata, skipped: [], notes: [], files };
}

/**
 * Files next to an index that it does not name: those named like shards of its model, whose tensors are listed as
 * excluded, and others, which are mentioned in a note.
 */
async function unnamedShards(index: string, named: readonly string[]) {
  const [stem, ending] = basename(index).split(/\.(?=(?:safetensors|bin)\.index\.json$)/);
  const extension = `.${ending?.split(".")[0]}`;
  const names = ending === undefined ? [] : await readdir(dirname(index)).catch(() => []);
  const others = names.filter((name) => name.endsWith(extension) && !named.includes(name)).sort();
  const ofModel = others.filter((name) => name.startsWith(`${stem}-`));
  const apart = others.filter((name) => !ofModel.includes(name));
  const shown = apart.slice(0, 3).map(quote).join(", ");
  const more = apart.length > 3 ? ` and ${apart.length - 3} more` : "";
  const notes =
    apart.length === 0 ? [] : [`${quote(basename(index))} does not name ${shown}${more}: not compared`];
  return { ofModel, notes };
}

/** The shard of every tensor. */
async function readIndex(index: string): Promise<Map<string, string>> {
  const file = await followed(index);
  const { size } = await statFile(file);
  if (size > longestHeader) {
    throw new InputError(index, `an index of at most ${longestHeader} bytes`, `a file of ${size} bytes`);
  }
  const bytes = await readFile(file).catch((error) => {
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
  if (shardOf !== undefined) return shardOf;
  const found = basename(index) === "config.json" ? "a model's configuration: give its folder" : "none";
  throw new InputError(index, "a weight_map", found);
}

/** A file name within the folder of the index: an index must not refer outside it, on any system. */
function shardName(shard: string, tensor: string, index: string): string {
  const parts = shard.split("/");
  const plain = parts.every((part) => win32.basename(part) === part && ![".", "..", ""].includes(part));
  if (plain && printable(shard) === shard && shard.length <= 255) return shard;
  throw new InputError(index, `the file name of a shard for tensor ${quote(tensor)}`, quote(shard));
}
