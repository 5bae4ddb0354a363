import { expect } from "vitest";
import { reference } from "../../../src/engine/reference/reference.js";
import { type Digest, digestOf, type JobText } from "./jobs.js";
import type { Runner } from "./runners.js";

/** The reference's result by job text: shared by all runners and counted once. */
const references = new Map<string, Promise<Digest>>();

/** Expects all numbers of the reference, which counts concurrently; returns the share handed over. */
export async function expectSame(runner: Runner, job: JobText): Promise<number> {
  const found = runner.digest(job);
  const key = JSON.stringify(job);
  if (!references.has(key)) references.set(key, digestOf(reference, job));
  const [{ text, handedOver }, expected] = await Promise.all([found, references.get(key)!]);
  if (text !== expected.text) expect(await runner.differences(job)).toEqual([]);
  expect(text).toBe(expected.text);
  return handedOver;
}
