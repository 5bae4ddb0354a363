import { printable } from "../lens/printable.js";
import type { PlannedShard, ShardPlan } from "../lens/shard/plan-result.js";
import { layOut, wrap } from "./columns.js";
import { bytes, count } from "./numbers.js";

/** The plan of shards as a table, and a sentence on the longest of them. */
export function renderShardPlan({ shards, of: total, rate }: ShardPlan, columns: number): string {
  const column = (heading: string, cellOf: (shard: PlannedShard) => string) => ({
    heading,
    align: "right" as const,
    cells: shards.map(cellOf),
  });
  const table = layOut([
    column("shard", ({ index }) => String(index)),
    column("weights", ({ elements }) => count(elements)),
    column("bytes", (shard) => count(shard.bytes)),
    column("seconds", ({ seconds }) => secondsOf(seconds)),
    {
      heading: "from",
      align: "left",
      cells: shards.map(({ from }) =>
        from === null ? "nothing to do" : `${printable(from.tensor, 60)} ${count(from.element)}`,
      ),
    },
  ]);
  const all = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const longest = Math.max(...shards.map(({ seconds }) => seconds ?? 0));
  const time = rate.bytesPerSecond === null ? "" : `; the longest takes ${secondsOf(longest)} s`;
  return `${[...table, "", ...wrap(`${total} shards of ${bytes(all)} in all${time}. ${rate.measured}`, columns)].join("\n")}\n`;
}

function secondsOf(seconds: number | null): string {
  if (seconds === null) return "unknown";
  return seconds < 100 ? seconds.toPrecision(2) : count(Math.round(seconds));
}
