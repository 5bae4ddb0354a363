import { describe, expect, it } from "vitest";
import { openContainer } from "../../../src/source/container.js";
import { InputError } from "../../../src/source/input-error.js";
import { pickle, tensorPickle, torchFile, zip } from "../../support/torch-files.js";
import { memorySource } from "../support.js";

const { call, dict, global, integer, string, tuple } = pickle;
const storage = new Uint8Array(16);

const open = (bytes: Uint8Array) => openContainer(memorySource("evil.pt", bytes));

/** What is said of a file, without its name. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await open(bytes).then(
    () => "opened",
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).not.toMatch(/\n/);
  return message.replace("evil.pt: expected ", "");
}

const one = (tensor: readonly number[]) => dict(string("w"), tensor);
const file = (root: readonly number[]) => torchFile(root, { 0: storage });

it("the file that the hostile ones are made from is read", async () => {
  const { tensors } = await open(file(one(tensorPickle())));
  expect([...tensors.values()].map(({ name, shape }) => [name, shape])).toEqual([["w", [4]]]);
});

describe("globals are refused by name, and nothing is run", () => {
  it.each([
    ["os", "system"],
    ["posix", "system"],
    ["nt", "system"],
    ["builtins", "eval"],
    ["builtins", "exec"],
    ["builtins", "getattr"],
    ["__builtin__", "__import__"],
    ["subprocess", "Popen"],
    ["torch", "load"],
    ["torch.hub", "load"],
    ["torch._utils", "_rebuild_tensor_v2.__globals__"],
    ["numpy.core.multiarray", "_reconstruct"],
    ["runpy", "_run_code"],
    ["__main__", "Model"],
    ["constructor", "constructor"],
    ["__proto__", "toString"],
    ["collections", "OrderedDict.__init__"],
  ])("%s.%s", async (module, name) => {
    const said = `tensors and plain values, found "${module}.${name}", which would run code; nothing was run`;
    expect(await refusal(file(one(call(global(module, name), tuple(string("id"))))))).toBe(said);
    // As a value, as an argument of an allowed function, and by the opcode of protocol 4.
    expect(await refusal(file(one(global(module, name))))).toBe(said);
    const stacked = [...string(module), ...string(name), 0x93];
    expect(await refusal(file(one(call(global("collections", "OrderedDict"), tuple(stacked)))))).toBe(said);
  });
});

describe("pickles that are no plain values", () => {
  const ordered = global("collections", "OrderedDict");
  it.each<[string, readonly number[], RegExp]>([
    ["an instance by INST", [0x28, 0x69, ...new TextEncoder().encode("os\nsystem\n")], /opcode 0x69/],
    ["an instance by OBJ", [0x28, ...ordered, 0x6f], /opcode 0x6f/],
    ["an extension code", [0x82, 1], /opcode 0x82/],
    ["an opcode that does not exist", [0xff], /opcode 0xff/],
    ["no end", [], /goes on beyond its end|a value, found none/],
    ["a string longer than the pickle", [0x58, 0xff, 0xff, 0xff, 0x7f], /goes on beyond its end/],
    ["a string of 2^63 bytes", [0x8d, ...Array(7).fill(0), 0x80], /goes on beyond its end/],
    ["an integer of 4 GB", [0x8b, 0xff, 0xff, 0xff, 0xff], /integers of at most 256 bytes/],
    ["a tuple without a mark", [0x74], /a mark, found none/],
    ["an empty stack", [0x52], /a value, found none/],
    ["a memo that was not set", [0x68, 7], /memo 7, found none/],
    ["items for a list of none", [...pickle.none, ...integer(1), 0x61], /a list to add to/],
    [
      "pairs for no dictionary",
      [...integer(1), ...integer(2), ...integer(3), 0x73],
      /a dictionary and pairs/,
    ],
    ["half a pair", [0x7d, 0x28, ...integer(1), 0x75], /a dictionary and pairs/],
    ["a call of a number", [...integer(1), ...tuple(), 0x52], /a function and its arguments/],
    ["a state for a number", [...integer(1), ...dict(), 0x62], /a record to fill/],
    ["a persistent id of something else", [...tuple(string("module")), 0x51], /storages of tensors/],
    [
      "a storage of a class that is none",
      [...tuple(string("storage"), ordered, string("0"), string("cpu"), integer(4)), 0x51],
      /storages of tensors/,
    ],
    [
      "arguments that a tensor does not take",
      call(global("torch._utils", "_rebuild_tensor_v2"), tuple(integer(1))),
      /the arguments of torch\._utils\._rebuild_tensor_v2/,
    ],
    ["one tensor without a name", tensorPickle(), /one tensor without a name/],
    ["no tensors", dict(string("a"), integer(1)), /tensors, found none/],
    [
      "an optimizer's tensors alone",
      dict(string("optimizer_state_dict"), one(tensorPickle())),
      /tensors, found none/,
    ],
  ])("%s", async (_, root, said) => expect(await refusal(file(root))).toMatch(said));

  it("a dictionary that holds itself, and one that stands in it a million times", async () => {
    // {"w": tensor, "self": the dictionary}
    const loop = [0x7d, 0x71, 0, 0x28, ...string("w"), ...tensorPickle(), ...string("self"), 0x68, 0, 0x75];
    expect([...(await open(file(loop))).tensors.keys()]).toEqual(["w"]);
    // Twenty lists, each of which holds the one before twice: 2^20 paths to one tensor.
    let nested: readonly number[] = [0x5d, 0x71, 1, ...tensorPickle(), 0x61];
    for (let i = 2; i < 22; i++) nested = [0x5d, 0x71, i, ...nested, 0x61, 0x68, i - 1, 0x61];
    const { tensors } = await open(file(dict(string("w"), nested)));
    expect(tensors.size).toBe(1);
  });

  it("containers within each other without end", async () => {
    const deep = [...Array(10_000).fill(0x5d), ...tensorPickle(), ...Array(10_000).fill(0x61)];
    expect(await refusal(file(dict(string("w"), deep)))).toMatch(/at most 64 containers within each other/);
  });
});

it("a part of a model whose name begins like that of an optimizer is one of the model", async () => {
  const model = dict(
    string("optimistic_head"),
    one(tensorPickle()),
    string("random_features"),
    one(tensorPickle()),
  );
  const root = dict(
    string("model"),
    model,
    string("optimizer_states"),
    one(tensorPickle()),
    string("rng_state"),
    one(tensorPickle()),
  );
  const { tensors, within } = await open(file(root));
  expect(within).toBe("model");
  expect([...tensors.keys()]).toEqual(["optimistic_head.w", "random_features.w"]);
  const top = await open(
    file(dict(string("optimistic_head"), one(tensorPickle()), string("w"), tensorPickle())),
  );
  expect([...top.tensors.keys()]).toEqual(["optimistic_head.w", "w"]);
});

describe("tensors that lie about their storages", () => {
  it.each<[string, Parameters<typeof tensorPickle>[0], RegExp]>([
    ["past the end", { shape: [5] }, /within the 4 elements of its storage, found element 4/],
    ["an offset past the end", { offset: 4, shape: [1] }, /found element 4/],
    ["strides past the end", { shape: [2, 2], strides: [3, 1] }, /found element 4/],
    [
      "a shape of 2^93 elements",
      { shape: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], strides: [0, 0, 0] },
      /fewer than 2\^53 elements/,
    ],
    ["a negative size", { shape: [-1] }, /the arguments of/],
    ["fewer strides than sizes", { shape: [2, 2], strides: [1] }, /the arguments of/],
    ["a storage that is not there", { key: "7" }, /"data\/7", the storage of "w", found none/],
    [
      "a storage by a path",
      { key: "../data.pkl" },
      /"data\/\.\.\/data\.pkl", the storage of "w", found none/,
    ],
    [
      "a storage with more numbers than bytes",
      { elements: 2 ** 30 },
      /4294967296 bytes in the storage of "w", found 16 bytes/,
    ],
    ["a storage of wider numbers", { storage: "DoubleStorage" }, /32 bytes in the storage of "w", found 16/],
    ["a class of storages that does not exist", { storage: "QuantumStorage" }, /"torch\.QuantumStorage"/],
  ])("%s", async (_, options, said) => expect(await refusal(file(one(tensorPickle(options))))).toMatch(said));
});

describe("archives", () => {
  const root = { name: "x/data.pkl", data: pickle.file(one(tensorPickle())) };
  const zeros = { name: "x/data/0", data: storage };

  it.each<[string, Uint8Array, RegExp]>([
    [
      "cut off",
      file(one(tensorPickle())).subarray(0, 300),
      /the directory of a zip archive at the end, found none: the file is cut off/,
    ],
    [
      "compressed",
      zip([root, { ...zeros, method: 8 }]),
      /stored as they are, as PyTorch does, found "x\/data\/0" compressed/,
    ],
    ["encrypted", zip([root, { ...zeros, flags: 1 }]), /without passwords/],
    ["a file twice", zip([root, zeros, zeros]), /"x\/data\/0" twice/],
    [
      "two files with the same data",
      zip([root, zeros, { ...zeros, name: "x/data/1", header: 0 }]),
      /data that they share|to end before the directory/,
    ],
    ["data past the directory", zip([root, { ...zeros, size: 5000 }]), /to end before the directory/],
    ["a header that is none", zip([root, { ...zeros, header: 3 }]), /the header of "x\/data\/0" at byte 3/],
    ["a header past the end", zip([root, { ...zeros, header: 2 ** 31 }]), /within the \d+ bytes of the file/],
    ["65535 files that are not there", zip([root, zeros], { count: 0xffff }), /a directory of 65535 files/],
    ["a directory past the end", zip([root, zeros], { offset: 2 ** 31 }), /a directory that ends before/],
    ["a directory of 4 GB", zip([root, zeros], { length: 0xffff_fff0 }), /a directory that ends before/],
    ["no pickle", zip([zeros]), /with one data\.pkl, found a zip archive with none/],
    ["two pickles", zip([root, { ...root, name: "y/data.pkl" }, zeros]), /found a zip archive with 2/],
    [
      "TorchScript",
      zip([root, zeros, { name: "x/code/__torch__.py", data: storage }]),
      /a TorchScript program/,
    ],
    [
      "big-endian",
      zip([root, zeros, { name: "x/byteorder", data: new TextEncoder().encode("big") }]),
      /the byte order "big"/,
    ],
  ])("%s", async (_, bytes, said) => expect(await refusal(bytes)).toMatch(said));

  it("names with paths are names, and lead nowhere", async () => {
    const { tensors } = await open(zip([root, zeros, { name: "../../etc/passwd", data: storage }]));
    expect([...tensors.keys()]).toEqual(["w"]);
  });
});
