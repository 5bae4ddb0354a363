import type { EngineInUse } from "../tensor/run.js";

/** The engine in use and its self-check. */
export function EngineBadge({ engine }: { engine: EngineInUse | null }) {
  if (!engine) return <p class="engine">Starting the engine…</p>;
  const { name, device, selfCheck } = engine;
  return (
    <p class="engine">
      Computed on this machine by the <b>{name}</b> engine ({device}); self-check {selfCheck.passed} of{" "}
      {selfCheck.passed + selfCheck.failed} right.
    </p>
  );
}
