import { countOf, countOfAll, type TensorInput } from "../lens/input.js";
import type { Case } from "../lens/run/case.js";
import { mergeCases } from "../lens/run/merge.js";
import { summarizeCase } from "../lens/run/summarize.js";
import type { Engine, LensJob, Observer } from "./engine.js";

/** An engine's counts of some tensors as JSON: one case of a result for each case of the job. */
export interface CountedPart {
  readonly cases: readonly Case[];
  /** See Observer. */
  readonly handedOver: number;
}

/** Stores counts, so that an interrupted run can resume. */
export interface PartLog {
  part(name: string): CountedPart | null;
  add(name: string, part: CountedPart): void;
}

/**
 * Weight updates, over all cases, in a part (unless one tensor has more): a tenth of a second on two cores,
 * so that thread start and log writes are negligible.
 */
const partLength = 2 ** 25;

/**
 * Runs a job in parts of whole tensors, skipping those in the log. Because a case carries the sums behind its
 * shares and norms, the result equals that of one engine run, bit for bit. Parts depend only on the job. The
 * observer receives progress only.
 */
export async function runParts(
  job: LensJob,
  engine: Engine,
  { progress }: Pick<Observer, "progress">,
  log: PartLog,
): Promise<CountedPart> {
  const stepsOf = (tensors: readonly TensorInput[]) => countOfAll(tensors) * job.stepNumbers.length;
  const total = stepsOf(job.tensors);
  // A shard may have no tensors.
  if (job.tensors.length === 0) return runWhole(job, engine);
  const counted: CountedPart[] = [];
  let done = 0;
  for (const tensors of partsOf(job)) {
    const [{ name }] = tensors;
    let part = log.part(name);
    if (part === null) {
      const before = done;
      part = await runWhole({ ...job, tensors }, engine, {
        progress: (soFar) => progress?.(before + soFar, total),
      });
      log.add(name, part);
    }
    done += stepsOf(tensors);
    progress?.(done, total);
    counted.push(part);
  }
  return {
    cases: job.cases.map((_, c) => mergeCases(counted.map(({ cases }) => cases[c]))),
    handedOver: counted.reduce((sum, { handedOver }) => sum + handedOver, 0),
  };
}

/** Runs a job in one part. */
export async function runWhole(job: LensJob, engine: Engine, observer: Observer = {}): Promise<CountedPart> {
  let handedOver = 0;
  const tallies = await engine.run(job, {
    ...observer,
    handedOver: (weightSteps) => {
      handedOver = weightSteps;
    },
  });
  return { cases: tallies.map(summarizeCase), handedOver };
}

/** The tensors in order, as many per part as {@link partLength} allows, but at least one. */
function partsOf({ tensors, stepNumbers, cases }: LensJob): TensorInput[][] {
  const parts: TensorInput[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const updates = countOf(tensor) * stepNumbers.length * cases.length;
    if (parts.length === 0 || updates > room) {
      parts.push([]);
      room = partLength;
    }
    parts[parts.length - 1].push(tensor);
    room -= updates;
  }
  return parts;
}
