import type { CaseTally } from "../lens/run/summarize.js";
import type { CaseSettings } from "../update/optimizer.js";
import type { Engine, LensJob, Observer } from "./engine.js";
import { proofOf } from "./proof.js";

/** The parts of an engine on a device that is opened on first use. */
export interface DeviceEngine<D extends { readonly isFallback: boolean }>
  extends Pick<Engine, "name" | "remark"> {
  readonly refuses: NonNullable<Engine["refuses"]>;
  /** @throws Error if no device is available. */
  readonly open: () => Promise<D>;
  /** The device's name in results. */
  readonly describe: (device: D) => string;
  /** The reason why none is available, from the error's message. */
  readonly lacks: (message: string) => string;
  /** The cases of the self-check if the caller names none. */
  readonly proven: readonly CaseSettings[];
  /** See {@link proofOf}. */
  readonly alone: boolean;
  readonly run: (job: LensJob, device: D, observer?: Observer) => Promise<CaseTally[]>;
  readonly close: (device: D) => void | Promise<void>;
}

/** The number of weight updates a CPU counts in the time that compiling kernels takes, a few seconds. */
const worthFrom = 2 ** 31;

/** An engine whose device stays open, and whose self-checks stay valid, until it is closed. */
export function deviceEngine<D extends { readonly isFallback: boolean }>(given: DeviceEngine<D>): Engine {
  let device: D | null = null;
  let opening: Promise<D> | null = null;
  let proof: ReturnType<typeof proofOf> | null = null;

  async function opened(): Promise<D> {
    opening ??= given.open();
    device = await opening;
    return device;
  }

  const engine: Engine = {
    name: given.name,
    worthFrom,
    get device() {
      return device === null ? "GPU" : given.describe(device);
    },
    get isFallback() {
      return device?.isFallback ?? false;
    },

    async unavailable() {
      try {
        await opened();
        return null;
      } catch (error) {
        opening = null;
        return given.lacks(error instanceof Error ? error.message : String(error));
      }
    },

    refuses: given.refuses,
    ...(given.remark && { remark: given.remark }),

    selfCheck(cases = given.proven) {
      proof ??= proofOf(engine, { alone: given.alone });
      return proof(cases);
    },

    async run(job, observer) {
      const refused = given.refuses(job.cases, job.tensors);
      if (refused) throw new RangeError(`engine ${given.name}: ${refused}`);
      return given.run(job, await opened(), observer);
    },

    async close() {
      if (device !== null) await given.close(device);
      device = opening = proof = null;
    },
  };
  return engine;
}
