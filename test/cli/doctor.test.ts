import { describe, expect, test } from "vitest";
import { output } from "../support/cli.js";
import { expectValid } from "../support/schemas.js";

interface EngineReport {
  readonly name: string;
  readonly device: string;
  readonly unavailable: string | null;
  readonly selfCheck: { readonly passed: number; readonly failed: number } | null;
}

async function doctor() {
  const report = JSON.parse(await output("doctor", "--json", "-"));
  expectValid("doctor", report);
  return report as { chosen: string; engines: EngineReport[]; machine: { node: string } };
}

describe("doctor", () => {
  test("--json - tells the engines and the chosen one, which passed its self-check", async () => {
    const { engines, chosen } = await doctor();
    const { selfCheck } = engines.find(({ name }) => name === chosen) as EngineReport;
    expect(selfCheck?.failed).toBe(0);
    expect(selfCheck?.passed).toBeGreaterThan(0);
  });

  test("tells the same in words", async () => {
    const { engines, chosen, machine } = await doctor();
    const text = await output("doctor");
    const lines = text.split("\n");
    expect(text).toMatch(new RegExp(`^--engine auto takes ${chosen}[,.]`, "m"));
    expect(lines[0]).toContain(`Node ${machine.node}`);
    for (const { name, device, unavailable, selfCheck } of engines) {
      const row = lines.find((line) => line.startsWith(`${name} `));
      expect(row).toContain(device);
      expect(row).toContain(selfCheck ? String(selfCheck.passed) : "none");
      if (unavailable) expect(text.replace(/\n/g, " ")).toContain(`${name}: ${unavailable}.`);
    }
  });
});
