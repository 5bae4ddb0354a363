import type { Engine } from "./engine.js";
import { reference } from "./reference/reference.js";

/** The engines by name, fastest first. */
export const engines: ReadonlyMap<string, Engine> = new Map([[reference.name, reference]]);

/**
 * The engine of a name; `auto` takes the fastest whose self-check passes on this device.
 *
 * @throws RangeError for an unknown name, Error for an engine that fails its self-check.
 */
export async function selectEngine(name: string) {
  if (name !== "auto" && !engines.has(name)) {
    throw new RangeError(`unknown engine "${name}": expected auto, ${[...engines.keys()].join(", ")}`);
  }
  const candidates = [...engines.values()].filter((engine) => name === "auto" || engine.name === name);
  const reasons: string[] = [];
  for (const engine of candidates) {
    const selfCheck = await engine.selfCheck();
    if (selfCheck.failed === 0) return { engine, selfCheck };
    reasons.push(`${engine.name} failed its self-check (${selfCheck.firstFailure})`);
  }
  throw new Error(`no engine to be trusted on this device: ${reasons.join("; ")}`);
}
