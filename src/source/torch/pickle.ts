import { opcodes } from "./opcodes.js";
import { type Globals, type PickleValue, Unpickler } from "./unpickler.js";

/** The opcode that ends a pickle. */
const stop = 0x2e;

/**
 * Reads a pickle of protocols 2 to 5 (opcodes as in Lib/pickletools.py). It only builds values: it looks up no code by
 * name and runs none.
 *
 * @param name the name of the file, for messages.
 * @throws InputError for a global that is not allowed, which it names, for an unsupported opcode, and for a damaged
 *   pickle.
 */
export function readPickle(bytes: Uint8Array, globals: Globals, name: string): PickleValue {
  const unpickler = new Unpickler(bytes, globals, name);
  for (;;) {
    const { at } = unpickler;
    const opcode = unpickler.unsigned(1);
    if (opcode === stop) return unpickler.pop();
    const step = opcodes[opcode];
    if (step === undefined) {
      const found = `opcode 0x${opcode.toString(16).padStart(2, "0")} at byte ${at}`;
      throw unpickler.damaged("the opcodes of plain values", found);
    }
    step(unpickler);
  }
}
