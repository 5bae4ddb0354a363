import { useSignal } from "@preact/signals";
import { compute, gpuJsFor, learnBase, learnTeacher } from "../compute/client.js";
import { RemoteError } from "../compute/rpc.js";
import { Segments, Select } from "../controls/fields.js";
import { Misread } from "../controls/misread.js";
import { readState, writeState } from "../location.js";
import type { Visit } from "../place.js";
import { formatOptions } from "../settings.js";
import { DropZone } from "./drop-zone.js";
import type { Findings } from "./look-at.js";
import { PairReport } from "./pair-report.js";
import { RunReport } from "./run-report.js";
import { type DataState, dataFields } from "./state.js";

const engineOptions = [
  { value: "auto", label: "auto" },
  { value: "wasm", label: "wasm" },
  { value: "gpu", label: "GPU" },
  { value: "reference", label: "reference" },
];

/** Two files of the visitor, which are read locally and never uploaded. */
export function FilesView({ visit }: { visit: Visit }) {
  const state = useSignal(readState(dataFields, visit.parameters));
  const files = useSignal<readonly File[]>([]);
  const findings = useSignal<Findings | null>(null);
  const said = useSignal<string | null>(null);
  const busy = useSignal(false);

  async function look(): Promise<void> {
    const { format, engine } = state.peek();
    busy.value = true;
    said.value = null;
    try {
      findings.value = await compute("look", {
        files: files.peek(),
        format,
        engine,
        gpuJs: gpuJsFor(engine),
      });
    } catch (error) {
      refuse(error);
    } finally {
      busy.value = false;
    }
  }
  function refuse(error: unknown): void {
    findings.value = null;
    const isFault = !(error instanceof RemoteError) || error.kind === "fault";
    said.value = `${isFault ? "Something went wrong: " : ""}${error instanceof Error ? error.message : error}`;
  }
  /** Refuses the first file at once, not when the second one comes. */
  async function checkFirst(): Promise<void> {
    const first = files.peek();
    try {
      await compute("check", first[0]);
    } catch (error) {
      // The second file may have come: then both are looked at, and the refusal is that of both.
      if (files.peek() !== first) return;
      files.value = [];
      refuse(error);
    }
  }
  const take = (taken: readonly File[]) => {
    // Files may be given one by one or both at once; a third one starts again.
    files.value = [...(files.peek().length === 1 && taken.length === 1 ? files.peek() : []), ...taken];
    findings.value = null;
    said.value = null;
    void (files.value.length === 1 ? checkFirst() : look());
  };
  /** Loads the checkpoints before and after the bundled run, for visitors without files. */
  const takeRecorded = async () => {
    const [base, teacher] = await Promise.all([learnBase(), learnTeacher()]);
    files.value = [];
    take([file("base.safetensors", base), file("final-fp32.safetensors", teacher)]);
  };
  const change = (part: Partial<DataState>) => {
    state.value = { ...state.peek(), ...part };
    visit.note(writeState(dataFields, state.value));
    if (files.peek().length > 1) void look();
  };

  const found = findings.value;
  return (
    <section class="data" aria-labelledby="data-title">
      <h1 id="data-title" class="finding">
        Is <em>your</em> run losing its updates? <span class="lens">Nothing leaves this machine.</span>
      </h1>
      <Misread visit={visit} fields={dataFields} />
      <DropZone onFiles={take} waiting={files.value.length === 1 ? files.value[0].name : null} />
      {files.value.length < 2 && (
        <p class="offer">
          No files at hand?{" "}
          <button type="button" onClick={() => void takeRecorded()}>
            Compare a recorded run
          </button>{" "}
          A small decoder in bf16, before and after GRPO in fp32.
        </p>
      )}
      <div class="data-settings">
        <Select
          label="Store a recorded run as"
          value={state.value.format}
          options={formatOptions}
          onChange={(format) => change({ format })}
        />
        <Segments
          label="Engine"
          value={state.value.engine}
          options={engineOptions}
          onChange={(engine) => change({ engine: engine as DataState["engine"] })}
        />
        {found?.kind === "pair" && (
          <button
            type="button"
            onClick={() => {
              files.value = [...files.value].reverse();
              void look();
            }}
          >
            Swap before and after
          </button>
        )}
      </div>
      <p class="status" role="status">
        {busy.value ? `Counting ${files.value.map(({ name }) => name).join(" and ")}…` : ""}
      </p>
      {said.value && (
        <p class="problem" role="alert">
          {said.value}
        </p>
      )}
      {found?.kind === "run" && <RunReport findings={found} />}
      {found?.kind === "pair" && <PairReport findings={found} />}
    </section>
  );
}

function file(name: string, bytes: Uint8Array): File {
  return new File([bytes as BlobPart], name);
}
