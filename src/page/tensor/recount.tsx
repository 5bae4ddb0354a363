import { useSignal } from "@preact/signals";
import { classes } from "../../lens/classify.js";
import type { Case } from "../../lens/run/case.js";
import { compute, gpuJsFor } from "../compute/client.js";
import type { Player } from "./player.js";

/** Counts the run again from its start on another engine, and reports whether anything differs. */
export function Recount({ player }: { player: Player }) {
  const said = useSignal("");
  const busy = useSignal(false);

  async function recount(engine: string): Promise<void> {
    player.pause();
    const shown = player.frame.value;
    if (!shown || shown.step === 0) return;
    busy.value = true;
    said.value = `Counting ${shown.step} steps again…`;
    try {
      const again = await compute("recount", { engine, gpuJs: gpuJsFor(engine) });
      const differing = shown.cases.filter(({ run }, c) => countsOf(run) !== countsOf(again.cases[c])).length;
      const verdict = differing === 0 ? "every count the same" : `${differing} of 2 cases differ`;
      said.value = `${again.engine.device}: ${verdict}, ${again.seconds.toFixed(1)} s.`;
    } catch (error) {
      said.value = error instanceof Error ? error.message : String(error);
    } finally {
      busy.value = false;
    }
  }

  return (
    <p class="recount">
      Count again by{" "}
      <button type="button" disabled={busy.value} onClick={() => void recount("gpu")}>
        GPU
      </button>{" "}
      <button type="button" disabled={busy.value} onClick={() => void recount("reference")}>
        reference
      </button>{" "}
      <output aria-live="polite">{said.value}</output>
    </p>
  );
}

/** All that two engines must agree on. */
function countsOf({ totals, end }: Case): string {
  const { parted, sums, ...counts } = end;
  return JSON.stringify([classes.map((className) => totals[className]), counts, sums]);
}
