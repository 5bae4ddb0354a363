import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, test } from "vitest";

/** Something that some suites need and a machine may lack. */
export interface Requirement {
  readonly name: string;
  /** The Debian packages that bring it. */
  readonly debian: readonly string[];
  readonly isMet: () => boolean;
  /** The group whose full tier alone needs it. */
  readonly fullTierOf?: string;
  /** Whether the user asked for it by name, so that omission is a failure. */
  readonly isNamed?: () => boolean;
  /** Whether nothing need be installed; for requirements that a worse alternative can meet. */
  readonly isComplete?: () => boolean;
}

/** Chromium without a window: the same engine; a page opens in less than half the time, on one core instead of two. */
const headlessShell = "/usr/bin/chromium-headless-shell";
const chromiumPaths = [headlessShell, "/usr/bin/chromium", "/usr/bin/chromium-browser"];

/** The browser that the suites drive; CHROMIUM_PATH names another one. */
export function chromiumPath(): string | null {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  return chromiumPaths.find(existsSync) ?? null;
}

/**
 * The Vulkan driver that the suites compute on, as a loader's manifest: the one that VK_ICD_FILENAMES names (a GPU's, or Mesa's
 * llvmpipe), or SwiftShader, which Chromium brings and which computes on the CPU.
 */
export const vulkanDriver = process.env.VK_ICD_FILENAMES || "/usr/lib/chromium/vk_swiftshader_icd.json";

const loaderFolders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

/** An interpreter with any release of torch, of which the suites of the recorder are to be run. */
const namedPython = process.env.PRECISION_LENS_PYTHON || undefined;

/** The one named, or Debian's own, for which its python3-torch is built, where there is one. */
export const python = namedPython ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3");

const findsTorch = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)";

export const requirements = {
  chromium: {
    name: "Chromium",
    debian: ["chromium-headless-shell"],
    isMet: () => existsSync(chromiumPath() ?? ""),
    isComplete: () => existsSync(process.env.CHROMIUM_PATH || headlessShell),
  },
  vulkan: {
    name: "Vulkan (a loader, and Chromium's SwiftShader or the driver of VK_ICD_FILENAMES)",
    debian: ["chromium-common", "libvulkan1"],
    isMet: () =>
      existsSync(vulkanDriver) && loaderFolders.some((folder) => existsSync(`${folder}/libvulkan.so.1`)),
  },
  torch: {
    name: `PyTorch for ${namedPython ?? "python3"}`,
    // Debian's package is for Debian's own interpreter.
    debian: namedPython === undefined ? ["python3-torch"] : [],
    // Importing it takes two seconds.
    isMet: () => spawnSync(python, ["-c", findsTorch]).status === 0,
    isNamed: () => namedPython !== undefined,
  },
  slurm: {
    name: "Slurm",
    debian: ["slurm-wlm", "munge"],
    fullTierOf: "cluster",
    isMet: () => ["slurmctld", "slurmd", "munged"].every((name) => existsSync(`/usr/sbin/${name}`)),
  },
  numpy: {
    name: "numpy for python3",
    debian: ["python3-numpy"],
    isMet: () => spawnSync(python, ["-c", "import numpy"]).status === 0,
  },
} as const satisfies Record<string, Requirement>;

/**
 * A suite with a requirement. If that is missing, the suite is omitted, which the last lines of the summary report;
 * with CI=true, or if it was named, the omission is a failure.
 */
export function describeNeeding(
  { name, debian, isMet, isNamed }: Requirement,
  suite: string,
  body: () => void,
): void {
  if (isMet()) return void describe(suite, body);
  const missing = `needs ${name}${debian.length > 0 ? ` (Debian: apt-get install ${debian.join(" ")})` : ""}`;
  if (process.env.CI !== "true" && !isNamed?.())
    return void describe.skip(`${suite}${notRun}${missing}`, body);
  describe(suite, () => {
    test(missing, () => {
      throw new Error(`${suite} ${missing}`);
    });
  });
}

/** Between the name of a suite that was left out and the reason. */
export const notRun = ": not run, ";
