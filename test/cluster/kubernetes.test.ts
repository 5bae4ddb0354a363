import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { output, run } from "../support/cli.js";
import { float32 } from "../support/recorded.js";
import { comparable } from "./support.js";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const job = JSON.parse(read("docs/cluster/kubernetes-job.json"));
const schema = JSON.parse(read("test/data/kubernetes/job.schema.json"));

const validate = new Ajv2020({ allErrors: true }).compile(schema);

/** What the API has to say of a manifest. */
function complaints(manifest: unknown): (string | undefined)[] {
  validate(manifest);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe("the Kubernetes manifest", () => {
  test("has fields of the Job API alone, of their types", () => {
    expect(complaints(job)).toEqual([]);
    const { spec } = job;
    const wrong = { ...job, spec: { ...spec, backoffLimitPerIndexes: 3, completions: "8" } };
    expect(complaints(wrong)).toEqual([
      "/spec must NOT have additional properties",
      "/spec/completions must be number",
    ]);
    const [container] = spec.template.spec.containers;
    const pod = { ...spec.template.spec, containers: [{ ...container, volumeMount: [] }] };
    expect(complaints({ ...job, spec: { ...spec, template: { spec: pod } } })).toEqual([
      "/spec/template/spec/containers/0 must NOT have additional properties",
    ]);
  });

  test("keeps what the API asks of fields together", () => {
    const { spec } = job;
    const pod = spec.template.spec;
    // backoffLimitPerIndex and podFailurePolicy are for Indexed jobs of pods that are not restarted in place.
    expect([spec.completionMode, pod.restartPolicy]).toEqual(["Indexed", "Never"]);
    expect(spec.maxFailedIndexes).toBeLessThan(spec.completions);
    const [container] = pod.containers;
    expect(spec.podFailurePolicy.rules[0].onExitCodes.containerName).toBe(container.name);
    const mounted = container.volumeMounts.map(({ name }: { name: string }) => name);
    expect(pod.volumes.map(({ name }: { name: string }) => name)).toEqual(mounted);
    expect(container.args[container.args.indexOf("--shard") + 1]).toBe(`auto/${spec.completions}`);
  });

  test("its container's command, run as the job runs it, gives parts of the whole", async () => {
    const folder = temporaryFolder();
    const checkpoint = (name: string, by: number) =>
      put(
        folder,
        name,
        encodeSafetensors([
          float32(
            "w",
            Float32Array.from({ length: 300_000 }, (_, i) => 1 + i * by),
          ),
        ]),
      );
    const [base, tuned] = [checkpoint("base.safetensors", 1e-6), checkpoint("tuned.safetensors", 1.1e-6)];
    const { completions, template } = job.spec;
    const files: string[] = [];
    for (let index = 0; index < completions; index++) {
      const env = { JOB_COMPLETION_INDEX: String(index) };
      const args = template.spec.containers[0].args.map((text: string) =>
        text
          .replace("$(JOB_COMPLETION_INDEX)", env.JOB_COMPLETION_INDEX)
          .replace("/models/base", base)
          .replace("/models/tuned", tuned)
          .replace("/parts", folder),
      );
      expect(await run(args, env)).toEqual({ status: 0, stdout: "", stderr: "" });
      files.push(join(folder, `${index}.json`));
    }
    const merged = await output("merge", ...files, "--quiet", "--json", "-");
    expect(comparable(merged)).toBe(comparable(await output("diff", base, tuned, "--quiet", "--json", "-")));
  });
});
