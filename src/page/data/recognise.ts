import { openContainer } from "../../source/container.js";
import { InputError } from "../../source/input-error.js";
import {
  type ByteSource,
  openSafetensors,
  type Safetensors,
} from "../../source/safetensors/stored-tensor.js";

/** What the page reads: the command line reads more containers. */
const expected = "a safetensors file";

/** Files that people drop here and that the command line has no word for, by their first characters. */
const others: readonly (readonly [begins: string | RegExp, found: string])[] = [
  ["\xff\xd8\xff", "a JPEG picture"],
  ["\x89PNG", "a PNG picture"],
  ["%PDF", "a PDF"],
  [
    "PK\x03\x04",
    "a zip archive, as torch.save writes: `precision-lens diff BEFORE AFTER` reads those, or save it as safetensors",
  ],
  [
    /^\s*\{\s*"schema":\s*"precision-lens/,
    "a result of precision-lens: show it by `precision-lens report RESULT.json --html report.html`",
  ],
  [/^\s*[{[]/, "a JSON file"],
];

/**
 * Opens a dropped file; other kinds of files are called what they are.
 *
 * @throws InputError if it is no safetensors file, if it is damaged, or if it has gradients, which are not counted as
 * updates.
 */
export async function openDropped(source: ByteSource): Promise<Safetensors> {
  const bytes = new Uint8Array(Math.min(64, source.size));
  await source.read(0, bytes);
  const head = String.fromCharCode(...bytes);
  // A safetensors header follows its length, which may be the first bytes of anything.
  const other =
    head[8] === "{" && bytes[7] === 0
      ? undefined
      : others.find(([begins]) => (typeof begins === "string" ? head.startsWith(begins) : begins.test(head)));
  if (other) throw new InputError(source.name, expected, other[1]);
  if (/^gradients(-.*)?\.safetensors$/.test(source.name)) {
    throw new InputError(
      source.name,
      "updates",
      "gradients, which need an optimizer: count them by " +
        `\`precision-lens run --weights base.safetensors --gradients ${source.name} --optimizer adamw --lr 1e-6\``,
    );
  }
  try {
    await openContainer(source);
  } catch (error) {
    // It offers torch.save's files too, which the page does not read.
    if (error instanceof InputError && error.expected.startsWith(`${expected},`))
      throw new InputError(error.file, expected, error.found);
    throw error;
  }
  return openSafetensors(source);
}
