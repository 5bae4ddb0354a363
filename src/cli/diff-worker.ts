/** A thread of `diff`. */
import { fastestComparer } from "../engine/wasm/difference/comparison.js";
import { serveTasks } from "../source/pair/serve-tasks.js";

serveTasks(await fastestComparer());
