import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Achievement, HeldOut, Outcome } from "../lens/learning/outcome.js";
import { InputError, quote } from "./input-error.js";
import { systemError } from "./system-error.js";

export const outcomeFile = "outcome.json";

/** The maximum size of an outcome file. */
const largestFile = 100e6;

/**
 * The outcome stated by a recorded run.
 *
 * @param folder of the run.
 * @returns null if there is no outcome.json.
 * @throws InputError for a file that does not follow docs/learning.md.
 */
export async function readOutcome(folder: string): Promise<Outcome | null> {
  const path = join(folder, outcomeFile);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw systemError(path, "what the run achieved", error);
  }
  if (text.length > largestFile) throw new InputError(path, "at most 100 MB", `${text.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(path, "JSON", "text that is not JSON");
  }
  return outcomeOf(path, value);
}

function outcomeOf(path: string, value: unknown): Outcome {
  const { task, base, run, heldOut } = objectAt(path, "the file", value);
  if (task !== undefined && typeof task !== "string") throw wrong(path, "task", "a text", task);
  if (heldOut !== undefined && !Array.isArray(heldOut)) throw wrong(path, "heldOut", "a list", heldOut);
  return {
    task: task ?? null,
    base: achievementAt(path, "base", base),
    run: achievementAt(path, "run", run),
    heldOut: (heldOut ?? []).map((each: unknown, i): HeldOut => {
      const where = `heldOut[${i}]`;
      const record = objectAt(path, where, each);
      if (typeof record.name !== "string") throw wrong(path, `${where}.name`, "a text", record.name);
      return {
        name: record.name,
        base: achievementAt(path, `${where}.base`, record.base),
        run: achievementAt(path, `${where}.run`, record.run),
      };
    }),
  };
}

function achievementAt(path: string, where: string, value: unknown): Achievement | null {
  if (value === undefined || value === null) return null;
  const record = objectAt(path, where, value);
  const count = (name: string) => wholeAt(path, `${where}.${name}`, record[name]);
  const number = (name: string) => numberAt(path, `${where}.${name}`, record[name], Infinity);
  const samplesPerPrompt = count("samplesPerPrompt");
  const correct = correctAt(path, `${where}.correct`, record.correct, samplesPerPrompt);
  const prompts = count("prompts") ?? correct?.length ?? null;
  if (correct && prompts !== correct.length) {
    throw wrong(path, `${where}.correct`, `${prompts} counts, as prompts says`, correct.length);
  }
  const passAt = Object.entries(objectAt(path, `${where}.passAt`, record.passAt ?? {})).map(([k, rate]) => {
    if (!/^[1-9]\d{0,8}$/.test(k)) throw wrong(path, `${where}.passAt`, "whole numbers k as keys", k);
    return [k, numberAt(path, `${where}.passAt ${k}`, rate ?? undefined, 1)!];
  });
  return {
    prompts,
    samplesPerPrompt,
    correct,
    passAt: Object.fromEntries(passAt),
    klForward: number("klForward"),
    klReverse: number("klReverse"),
  };
}

function correctAt(path: string, where: string, value: unknown, samples: number | null): number[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length === 0) throw wrong(path, where, "a list of counts", value);
  if (samples === null) throw wrong(path, where, "samplesPerPrompt beside it", undefined);
  const stray = value.find((c) => !Number.isSafeInteger(c) || c < 0 || c > samples);
  if (stray !== undefined) throw wrong(path, where, `whole numbers from 0 to ${samples}`, stray);
  return value;
}

function objectAt(path: string, where: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw wrong(path, where, "an object", value);
}

function wholeAt(path: string, where: string, value: unknown): number | null {
  const n = numberAt(path, where, value, Number.MAX_SAFE_INTEGER);
  if (n !== null && (!Number.isSafeInteger(n) || n < 1)) throw wrong(path, where, "a whole number from 1", n);
  return n;
}

function numberAt(path: string, where: string, value: unknown, most: number): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && value >= 0 && value <= most) return value;
  throw wrong(path, where, most === 1 ? "a number from 0 to 1" : "a number not below zero", value);
}

function wrong(path: string, where: string, expected: string, found: unknown): InputError {
  const shown = found === undefined ? "nothing" : quote(JSON.stringify(found).slice(0, 60));
  return new InputError(path, `at ${where} ${expected}`, shown);
}
