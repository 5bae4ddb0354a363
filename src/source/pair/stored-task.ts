import { format } from "../../format/registry.js";
import { type Engines, measureModels, type TensorPart, type TensorTask } from "../../geometry/job.js";
import type { FileReader } from "../file-reader.js";
import { storedMatrix } from "./matrix-pair.js";
import type { StoredRange } from "./range.js";

/** A tensor of files, of a base and its tuned models. Can be cloned. */
export interface StoredTask extends TensorTask {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly models: readonly {
    readonly before: StoredRange;
    readonly after: StoredRange;
    readonly compared: string;
  }[];
}

/** @throws InputError if a file cannot be read. */
export function measureStored(task: StoredTask, files: FileReader, engines: Engines): Promise<TensorPart> {
  const models = task.models.map(({ before, after, compared }) => {
    const resolved = format(compared);
    return { matrix: storedMatrix(task.name, task.shape, before, after, resolved, files), format: resolved };
  });
  return measureModels(models, task, engines);
}
