/** A thread of `diff --geometry`, which measures tensors. */
import { type GeometryKernels, geometryEngines } from "../engine/wasm/geometry-engines.js";
import { FileReader } from "../source/file-reader.js";
import { measureStored, type StoredTask } from "../source/pair/stored-task.js";
import { serveTasks } from "../source/pair/thread-pool.js";

serveTasks((kernels) => {
  const files = new FileReader();
  const engines = geometryEngines(kernels as GeometryKernels);
  return (task: StoredTask) => measureStored(task, files, engines);
});
