import type { PickleDict, PickleValue, Unpickler } from "./unpickler.js";

/** The opcodes by byte. Those omitted create instances by running code, or are not in these protocols. */
export const opcodes: readonly (((u: Unpickler) => void) | undefined)[] = byCode({
  // Values.
  N: (u) => u.push(null),
  "\x88": (u) => u.push(true),
  "\x89": (u) => u.push(false),
  J: (u) => u.push(u.signed32()),
  K: (u) => u.push(u.unsigned(1)),
  M: (u) => u.push(u.unsigned(2)),
  "\x8a": (u) => u.push(u.integer(u.unsigned(1))),
  "\x8b": (u) => u.push(u.integer(u.unsigned(4))),
  G: (u) => u.push(u.float64()),
  X: (u) => u.push(u.text(u.unsigned(4))),
  "\x8c": (u) => u.push(u.text(u.unsigned(1))),
  "\x8d": (u) => u.push(u.text(u.length64())),
  T: (u) => u.push(u.text(u.unsigned(4))),
  U: (u) => u.push(u.text(u.unsigned(1))),
  B: (u) => u.push(u.slice(u.unsigned(4))),
  C: (u) => u.push(u.slice(u.unsigned(1))),
  "\x8e": (u) => u.push(u.slice(u.length64())),
  "\x96": (u) => u.push(u.slice(u.length64())),
  // Containers.
  "(": (u) => u.pushMark(),
  ")": (u) => u.push([]),
  t: (u) => u.push(u.popToMark()),
  "\x85": (u) => u.push(u.popMany(1)),
  "\x86": (u) => u.push(u.popMany(2)),
  "\x87": (u) => u.push(u.popMany(3)),
  "]": (u) => u.push([]),
  l: (u) => u.push(u.popToMark()),
  a: (u) => append(u, u.popMany(1)),
  e: (u) => append(u, u.popToMark()),
  "}": (u) => u.push(new Map()),
  d: (u) => setItems(u, u.popToMark(), new Map()),
  s: (u) => setItems(u, u.popMany(2)),
  u: (u) => setItems(u, u.popToMark()),
  "\x8f": (u) => u.push([]),
  "\x90": (u) => append(u, u.popToMark()),
  "\x91": (u) => u.push(u.popToMark()),
  "0": (u) => void u.pop(),
  "1": (u) => void u.popToMark(),
  "2": (u) => u.push(u.top()),
  // The memo.
  q: (u) => u.remember(u.unsigned(1)),
  r: (u) => u.remember(u.unsigned(4)),
  "\x94": (u) => u.rememberNext(),
  h: (u) => u.recall(u.unsigned(1)),
  j: (u) => u.recall(u.unsigned(4)),
  // Globals.
  c: (u) => u.global(u.line(), u.line()),
  "\x93": (u) => u.global(...(u.popMany(2) as [PickleValue, PickleValue])),
  Q: (u) => u.persistent(),
  R: (u) => u.reduce(),
  "\x81": (u) => u.newObject(),
  b: (u) => u.build(),
  // Protocol and frames, which can be ignored.
  "\x80": (u) => void u.unsigned(1),
  "\x95": (u) => void u.length64(),
});

function byCode(named: Readonly<Record<string, (u: Unpickler) => void>>) {
  const table: (((u: Unpickler) => void) | undefined)[] = new Array(256).fill(undefined);
  for (const [character, step] of Object.entries(named)) table[character.charCodeAt(0)] = step;
  return table;
}

function append(u: Unpickler, values: readonly PickleValue[]): void {
  const list = u.top();
  if (!Array.isArray(list)) throw u.damaged("a list to add to", "something else");
  for (const value of values) list.push(value);
}

function setItems(u: Unpickler, items: readonly PickleValue[], fresh?: PickleDict): void {
  if (fresh) u.push(fresh);
  const dict = u.top();
  if (!(dict instanceof Map) || items.length % 2 !== 0)
    throw u.damaged("a dictionary and pairs", "something else");
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
}
