import { elementsOf, indicesOf, listed, missingOf, type Part } from "../lens/shard/part.js";
import { type PlanTensor, planShards } from "../lens/shard/plan.js";
import { type PlanRate, plannedShards, type ShardPlan, wholeOf } from "../lens/shard/plan-result.js";
import { percent } from "../report/numbers.js";
import { planDigest } from "../source/shard/fingerprint.js";
import { version } from "../version.js";
import { columnsOf, type Output, type Streams } from "./streams.js";
import { writeWhole } from "./write-output.js";
import { expectOwnFile } from "./write-part.js";

/** The work to divide among shards. */
export interface DividedWork {
  readonly command: string;
  /** All that counts depend on besides files and tensors; JSON. */
  readonly settings: unknown;
  readonly files: readonly string[];
  /** Weights, then tensors compared by bytes. */
  readonly tensors: readonly (PlanTensor & { readonly name: string; readonly shape: readonly number[] })[];
  /** The number of weight tensors among them. */
  readonly weights: number;
  /** See Part. */
  readonly sizes?: readonly number[] | null;
}

/**
 * The part of this work for one machine.
 *
 * @param json the path for its result.
 * @throws InputError for files that cannot be read, or if that path has the result of another shard.
 */
export function partOf(work: DividedWork, index: number, shards: number, json: string | undefined): Part {
  const part = {
    index,
    of: shards,
    plan: digestOf(work),
    ranges: planShards(work.tensors, shards)[index].ranges,
    whole: wholeOf(work.tensors, work.weights),
    ...(work.sizes && { sizes: work.sizes }),
  };
  if (json !== undefined && json !== "-") expectOwnFile(json, part);
  return part;
}

function digestOf({ command, settings, files, tensors }: DividedWork): string {
  const named = tensors.map(({ name, shape, bits }) => [name, shape, bits]);
  return planDigest({ version, command, settings, tensors: named, files });
}

/** Writes the plan of all shards, as JSON if asked for, else as a table. */
export function tellPlan(
  work: DividedWork,
  shards: number,
  rate: PlanRate,
  { json }: { readonly json?: string | undefined },
  { out }: Streams,
  table: (plan: ShardPlan, columns: number) => string,
): void {
  const plan: ShardPlan = {
    schema: "precision-lens-plan/1",
    tool: { name: "precision-lens", version },
    command: work.command,
    plan: digestOf(work),
    of: shards,
    whole: wholeOf(work.tensors, work.weights),
    rate,
    shards: plannedShards(work.tensors, shards, rate),
  };
  const text = `${JSON.stringify(plan)}\n`;
  if (json === undefined) out.write(table(plan, columnsOf(out)));
  else if (json === "-") out.write(text);
  else writeWhole(json, text);
}

/** Prints which part of the whole a result is. */
export function tellPart(part: Part, err: Output): void {
  const { whole, of: total } = part;
  const indices = indicesOf(part);
  const share = whole.elements === 0 ? "" : `, ${percent(elementsOf(part) / whole.elements)} of the weights`;
  const missing = missingOf(indices, total);
  const [which, rest] =
    typeof part.index === "number"
      ? [`shard ${part.index} of ${total}`, "merge adds the shards up"]
      : [`${indices.length} of ${total} shards`, `missing: ${listed(missing)}`];
  err.write(`precision-lens: ${which}${share}; ${rest}\n`);
}
