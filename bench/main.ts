/** The benchmarks by name: npm run bench -- NAME [arguments]. Without a name, runs all in order. */
import { arrays } from "./arrays/arrays.js";
import { diff } from "./diff.js";
import { engines } from "./engines/engines.js";
import { firstMinute } from "./first-minute.js";
import { geometry } from "./geometry.js";
import { gpu } from "./gpu.js";
import { lora } from "./lora.js";
import { memory } from "./memory.js";
import { operations } from "./operations.js";
import { page } from "./page.js";
import { recipesBench } from "./recipes.js";
import { report } from "./report.js";
import { scaled } from "./scaled.js";
import { sharedScales } from "./shared-scales.js";
import { sweep } from "./sweep.js";
import { vectors } from "./vectors.js";

const benches: Readonly<Record<string, (...args: number[]) => void | Promise<void>>> = {
  arrays,
  diff,
  engines,
  "first-minute": firstMinute,
  geometry,
  gpu,
  lora,
  memory,
  operations,
  page,
  recipes: recipesBench,
  report,
  scaled,
  "shared-scales": sharedScales,
  sweep,
  vectors,
};

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && !(name in benches)) {
  process.stderr.write(`unknown bench "${name}": expected ${Object.keys(benches).join(", ")}\n`);
  process.exitCode = 2;
} else {
  for (const bench of name === undefined ? Object.values(benches) : [benches[name]])
    await bench(...args.map(Number));
}
