import { InputError } from "./input-error.js";
import { type ByteSource, openSafetensors, type Safetensors } from "./safetensors/stored-tensor.js";
import { openTorch } from "./torch/torch-file.js";

/** A file type identified by its first bytes. */
interface Kind {
  /** Bytes as characters. */
  readonly begins: readonly string[];
  readonly open: (source: ByteSource) => Promise<Safetensors>;
}

const headBytes = 64;

const whatIsRead = "a safetensors file, or one of torch.save";

/** A pickle's protocol, and the opcodes that torch.save began with before 1.6: integer, dict, object, frame, mark. */
const pickles = [2, 3, 4, 5].flatMap((protocol) =>
  ["\x8a", "}", "c", "\x95", "("].map((opcode) => `\x80${String.fromCharCode(protocol)}${opcode}`),
);

const kinds: readonly Kind[] = [
  { begins: ["PK\x03\x04"], open: openTorch },
  refused(["GGUF"], "a GGUF file: give the checkpoint that it was made from"),
  refused(
    ["version https://git-lfs"],
    "a Git LFS pointer: `git lfs pull` fetches the file that it stands for",
  ),
  refused(
    pickles,
    "a pickle without an archive, as torch.save wrote before 1.6: torch.load it and torch.save it again",
  ),
  refused(["<!DOCTYPE", "<!doctype", "<html"], "a web page, which the download gave in place of the file"),
  refused(["\x1f\x8b"], "a gzip file: unpack it"),
  refused(["\x89HDF\r\n"], "an HDF5 file: convert it to safetensors"),
  refused(["\x93NUMPY"], "a NumPy array: convert it to safetensors"),
];

function refused(begins: readonly string[], found: string): Kind {
  return {
    begins,
    open: async ({ name }) => {
      throw new InputError(name, whatIsRead, found);
    },
  };
}

/**
 * Opens a file of tensors by content, not by name: safetensors or torch.save.
 *
 * @throws InputError if it is neither, naming the file type if known; if it is damaged.
 */
export async function openContainer(source: ByteSource): Promise<Safetensors> {
  const bytes = new Uint8Array(Math.min(headBytes, source.size));
  await source.read(0, bytes);
  const head = String.fromCharCode(...bytes);
  // A safetensors header follows its length, which may be the first bytes of anything.
  const kind =
    head[8] === "{" ? undefined : kinds.find(({ begins }) => begins.some((magic) => head.startsWith(magic)));
  if (kind) return kind.open(source);
  if (!mayBeSafetensors(bytes, source.size)) {
    const first = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
    throw new InputError(
      source.name,
      whatIsRead,
      `another kind of file, which begins with the bytes ${first.join(" ")}`,
    );
  }
  return openSafetensors(source);
}

/** False if the first bytes are not a valid header length and no header starts after them. */
function mayBeSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length <= 8 || String.fromCharCode(head[8]) === "{") return true;
  return new DataView(head.buffer).getBigUint64(0, true) <= BigInt(size);
}
