/** Counts the operations of WGSL kernels from their text: a static count, in which every branch is taken once. */

/** The purpose of operations, by the function that contains them; the rest are in the kernel itself. */
export const stages = [
  "fp32 sums",
  "products",
  "quotients",
  "roots",
  "fused sums",
  "random bits",
  "norms",
  "memory",
  "rest",
] as const;
export type Stage = (typeof stages)[number];

const stageOf: Readonly<Record<string, Stage>> = {
  add32: "fp32 sums",
  mul32: "products",
  scale32: "products",
  div32: "quotients",
  sqrt32: "roots",
  fma32: "fused sums",
  threefry: "random bits",
  product32: "norms",
  addQuickly64: "norms",
  addSignedQuickly64: "norms",
  add64: "norms",
  addProduct: "norms",
};

/** Called names that compute nothing. */
const free = new Set([
  "bitcast",
  "Sum",
  "Wide",
  "vec2",
  "vec3",
  "array",
  "u32",
  "i32",
  "bool",
  "workgroupBarrier",
]);
const keywords = new Set(["if", "for", "while", "switch", "return", "loop"]);
const buffers = new Set(["updates", "fp32", "state", "constants", "counts"]);
const operators = new Set([
  "+",
  "-",
  "*",
  "/",
  "%",
  "<<",
  ">>",
  "&",
  "|",
  "^",
  "~",
  "!",
  "<",
  ">",
  "<=",
  ">=",
  "==",
  "!=",
]);

type Counts = Record<Stage, number>;

/**
 * The operations of a kernel per element, of a loop that has a text: by default that over pairs, of which they are half.
 *
 * @param elements what the loop takes at a time.
 */
export function countOperations(kernel: string, loop = "let element =", elements = 2): Counts {
  const functions = functionsOf(kernel);
  const main = functions.get("main")!;
  // The last name of the loop over pairs is that of its element.
  const first = main.indexOf(loop);
  const counted = countText(blockAround(main, first), functions, "rest");
  for (const stage of stages) counted[stage] /= elements;
  return counted;
}

/** Bodies of functions by name. */
export function functionsOf(text: string): ReadonlyMap<string, string> {
  const plain = text.replace(/\/\/.*$/gm, "");
  const found = [...plain.matchAll(/fn (\w+)\([^{]*\{/g)];
  return new Map(found.map((match) => [match[1], blockFrom(plain, match.index + match[0].length)]));
}

/** Text up to the brace that closes the one before it. */
function blockFrom(text: string, start: number): string {
  let depth = 1;
  let end = start;
  for (; depth > 0; end++) depth += text[end] === "{" ? 1 : text[end] === "}" ? -1 : 0;
  return text.slice(start, end - 1);
}

/** The innermost block that has a place in it. */
function blockAround(text: string, place: number): string {
  const open: number[] = [];
  for (let i = 0; i < place; i++) {
    if (text[i] === "{") open.push(i + 1);
    if (text[i] === "}") open.pop();
  }
  return blockFrom(text, open[open.length - 1]);
}

/** Counts what stands in a text for a stage, and for theirs what its functions do. */
export function countText(text: string, functions: ReadonlyMap<string, string>, stage: Stage): Counts {
  const counts = Object.fromEntries(stages.map((stageName) => [stageName, 0])) as Counts;
  const add = (more: Counts, times = 1) => {
    for (const stageName of stages) counts[stageName] += times * more[stageName];
  };
  const plain = text.replace(/\b(bitcast|vec2|vec3|array)<[^<>]*>/g, "$1");
  const loop = /for \(var \w+ = 0u; \w+ < (\d+)u; \w+\+\+\) \{/.exec(plain);
  if (loop) {
    const start = loop.index + loop[0].length;
    const body = blockFrom(plain, start);
    add(countText(plain.slice(0, loop.index), functions, stage));
    add(countText(body, functions, stage), Number(loop[1]));
    add(countText(plain.slice(start + body.length + 1), functions, stage));
    return counts;
  }
  const tokens = plain.match(/\w+|<<=?|>>=?|[<>=!]=|[-+*/%&|^]=|\+\+|[-+*/%&|^~!<>]|[(){}[\],;:=.]/g) ?? [];
  for (const [i, token] of tokens.entries()) {
    if (operators.has(token) || token === "++" || /^(<<|>>|[-+*/%&|^])=$/.test(token)) counts[stage] += 1;
    if (buffers.has(token) && tokens[i + 1] === "[") counts.memory += 1;
    if (tokens[i + 1] !== "(" || !/^[A-Za-z]/.test(token) || free.has(token) || keywords.has(token)) continue;
    const body = functions.get(token);
    // Built-in ones are one operation each; what a function calls is its own.
    if (body === undefined) counts[stage] += 1;
    else add(countText(body, functions, stage === "rest" ? (stageOf[token] ?? stage) : stage));
  }
  return counts;
}
