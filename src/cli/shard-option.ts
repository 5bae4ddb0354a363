import { type Command, InvalidArgumentError, Option } from "commander";
import { type OutputOptions, wholeNumber } from "./common-options.js";
import type { Streams } from "./streams.js";

/** The parsed value of --shard. */
export type ShardRequest = { readonly index: number | "plan"; readonly of: number };

/** As given: an index or a word, and the number of shards if stated. */
interface Asked {
  readonly index: number | "auto" | "plan";
  readonly of: number | null;
}

const mostShards = 1_000_000;

export function shardOption(): Option {
  return new Option(
    "--shard <i/n>",
    "count part I (from 0) of N, for merge; auto and auto/N take I from Slurm or Kubernetes, plan/N shows bytes and time",
  ).argParser(asked);
}

function asked(text: string): Asked {
  const [first, second, ...rest] = text.split("/");
  const total = second === undefined ? null : wholeNumber(second);
  const isWord = first === "auto" || first === "plan";
  if (rest.length > 0 || (total === null && first !== "auto") || (!isWord && !/^\d+$/.test(first))) {
    throw new InvalidArgumentError("expected I/N with I from 0, auto, auto/N or plan/N, such as 0/8");
  }
  const index = isWord ? first : wholeNumber(first);
  if (total !== null && (total < 1 || total > mostShards)) {
    throw new InvalidArgumentError(`expected from 1 to ${mostShards} shards`);
  }
  if (typeof index === "number" && index >= total!) {
    throw new InvalidArgumentError(`expected a shard from 0 to ${total! - 1}`);
  }
  return { index, of: total };
}

/**
 * The shard of this process; null without --shard.
 *
 * @throws CommanderError if the environment does not define it.
 */
export function shardRequest(
  command: Command,
  { shard, ...outputs }: { readonly shard?: unknown } & Partial<OutputOptions>,
  { env }: Streams,
): ShardRequest | null {
  if (shard === undefined) return null;
  const report = (["csv", "markdown", "html", "svg", "png"] as const).find(
    (name) => outputs[name] !== undefined,
  );
  if (report !== undefined) {
    command.error(
      `error: --${report} is for a whole: save each shard with --json, and render what merge makes of them`,
    );
  }
  const { index, of: total } = shard as Asked;
  if (index !== "auto") return { index, of: total! };
  const refuse = (message: string) =>
    command.error(`error: --shard auto${total === null ? "" : `/${total}`}: ${message}`);
  const [slurm, kubernetes] = [env.SLURM_ARRAY_TASK_ID, env.JOB_COMPLETION_INDEX];
  if ((slurm === undefined) === (kubernetes === undefined)) {
    refuse(
      `expected either SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX in the environment, found ${slurm === undefined ? "neither" : "both"}`,
    );
  }
  const [name, text] =
    slurm === undefined ? ["JOB_COMPLETION_INDEX", kubernetes!] : ["SLURM_ARRAY_TASK_ID", slurm];
  if (!/^\d{1,9}$/.test(text)) refuse(`expected a number in ${name}, found ${JSON.stringify(text)}`);
  const number = Number(text);
  if (total === null) {
    if (slurm === undefined)
      refuse("Kubernetes does not tell how many there are: expected auto/N, N as its completions");
    const [least, most, count] = ["MIN", "MAX", "COUNT"].map((part) =>
      Number(env[`SLURM_ARRAY_TASK_${part}`]),
    );
    if (least !== 0 || !(count >= 1) || most !== count - 1) {
      refuse("only an array from 0 to N - 1 tells N: expected auto/N for this one");
    }
    return { index: number, of: count };
  }
  if (number >= total) refuse(`expected ${name} from 0 to ${total - 1}, found ${number}`);
  return { index: number, of: total };
}
