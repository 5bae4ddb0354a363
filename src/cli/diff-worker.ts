/** A thread of `diff`, which compares ranges. */
import { comparerOf, type DifferenceKernel } from "../engine/wasm/difference/comparison.js";
import { FileReader } from "../source/file-reader.js";
import { RangeComparison, type RangePair } from "../source/pair/range.js";
import { serveTasks } from "../source/pair/thread-pool.js";

serveTasks((kernel) => {
  const comparison = new RangeComparison(new FileReader(), comparerOf(kernel as DifferenceKernel));
  return (range: RangePair) => comparison.compare(range).toJSON();
});
