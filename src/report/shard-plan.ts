import { printable } from "../lens/printable.js";
import type { ShardPlan } from "../lens/shard/plan-result.js";
import { table, tableOf, text } from "./blocks/block.js";
import { terminalText } from "./blocks/terminal.js";
import { bytes, count } from "./numbers.js";
import { plainTerminal } from "./terminal.js";

/** The plan of shards, and a sentence on the longest one. */
export function renderShardPlan({ shards, of: total, rate }: ShardPlan, columns: number): string {
  const all = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const longest = Math.max(...shards.map(({ seconds }) => seconds ?? 0));
  const time = rate.bytesPerSecond === null ? "" : `; the longest takes ${secondsOf(longest)} s`;
  const shown = tableOf(shards, [
    ["shard", ({ index }) => String(index)],
    ["weights", ({ elements }) => count(elements)],
    ["bytes", (shard) => count(shard.bytes)],
    ["seconds", ({ seconds }) => secondsOf(seconds)],
    [
      "from",
      ({ from }) =>
        from === null ? "nothing to do" : `${printable(from.tensor, 60)} ${count(from.element)}`,
    ],
  ]);
  const blocks = [
    table(shown, { align: "rrrrl" }),
    text([`${total} shards of ${bytes(all)} in all${time}. ${rate.measured}`]),
  ];
  return terminalText({ blocks, skipped: [] }, { ...plainTerminal, columns });
}

function secondsOf(seconds: number | null): string {
  if (seconds === null) return "unknown";
  return seconds < 100 ? seconds.toPrecision(2) : count(Math.round(seconds));
}
