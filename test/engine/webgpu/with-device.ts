import { afterAll, beforeAll } from "vitest";
import type { Engine, LensJob } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { type Device, openDevice } from "../../../src/engine/webgpu/device.js";
import { webGpuEngine } from "../../../src/engine/webgpu/webgpu.js";
import { prepareDawn } from "../../support/dawn.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";

/** The device of the tests of a `describe`, opened before all of them, and the engine on it. */
export interface OnDevice {
  readonly device: Device;
  readonly engine: Engine;
  /** Expects the outcome of the reference. */
  expectSame(job: LensJob, run?: Engine["run"]): Promise<void>;
}

/** Opens a device before the tests of the `describe` that calls it. */
export function withDevice(): OnDevice {
  let opened!: Device;
  const engine = webGpuEngine(async () => opened);
  beforeAll(async () => {
    prepareDawn();
    opened = await openDevice();
  });
  afterAll(() => opened.destroy());
  return {
    get device() {
      return opened;
    },
    engine,
    expectSame: async (job, run = engine.run) =>
      expectEqual(await outcomeOf({ run }, job), await outcomeOf(reference, job)),
  };
}
