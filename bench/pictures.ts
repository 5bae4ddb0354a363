/**
 * Makes the pictures of README and docs: npm run pictures, or those whose names have some words, npm run pictures --
 * talk. Figures come from the built command line, screenshots from Chromium.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromiumPath } from "../test/support/requirements.js";

const words = process.argv.slice(2);
const isAsked = ({ name }: { readonly name: string }) =>
  words.length === 0 || words.some((word) => name.includes(word));
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "precision-lens-pictures-"));

/** The figures of docs/gate-iii.md: a command, and the figure used from its output. */
const figures = [
  { name: "gate-iii-1-classes", figure: "classes", command: ["demo"] },
  { name: "gate-iii-2-sizes", figure: "case-1-sizes-bf16-in-place", command: ["demo"] },
  { name: "gate-iii-3-sparsity", figure: "sparsity", command: ["demo"] },
  {
    name: "gate-iii-4-unchanged",
    figure: "unchanged-so-far",
    command: [
      ...["simulate", "--preset", "rlvr", "--model", "qwen3-8b", "--elements", "500000", "--steps", "1000"],
      ...["--scheme", "master,in-place"],
    ],
  },
  {
    name: "gate-iii-5-rates",
    figure: "retained-by-rate",
    command: [
      ...["sweep", "--elements", "500000", "--steps", "100", "--lr", "1e-7:1e-3:9"],
      ...["--format", "bf16,fp16", "--scheme", "in-place,master,kahan"],
    ],
  },
] as const;

const page = join(folder, "page.html");
const report = join(folder, "report.html");
const desktop = { viewport: { width: 1280, height: 800 } } as const;
const projector = { viewport: { width: 1280, height: 720 } } as const;
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 } as const;

interface Screen {
  readonly name: string;
  readonly file: string;
  readonly place: string;
  readonly options: BrowserContextOptions;
  /** Actions before the picture is taken. */
  readonly after?: (page: Page) => Promise<void>;
}

const play = (seconds: number) => async (page: Page) => {
  await page.waitForTimeout(1000 * seconds);
};

const screens: readonly Screen[] = [
  { name: "page-tensor-light", file: page, place: "#tensor", options: desktop, after: play(8) },
  {
    name: "page-tensor-dark",
    file: page,
    place: "#tensor",
    options: { ...desktop, colorScheme: "dark" },
    after: play(8),
  },
  { name: "page-weight-light", file: page, place: "#weight", options: desktop, after: play(2) },
  { name: "page-talk-projector", file: page, place: "#talk", options: projector, after: play(6) },
  { name: "page-tensor-phone", file: page, place: "#tensor", options: phone, after: play(8) },
  { name: "report-light", file: report, place: "", options: desktop },
  { name: "report-dark", file: report, place: "", options: { ...desktop, colorScheme: "dark" } },
];

try {
  takeFigures();
  await takeScreens();
} finally {
  rmSync(folder, { recursive: true });
}

function takeFigures(): void {
  const destination = join(root, "docs/figures");
  mkdirSync(destination, { recursive: true });
  const made = new Map<string, string>();
  for (const { name, figure, command } of figures.filter(isAsked)) {
    const key = command.join(" ");
    const svg = made.get(key) ?? join(folder, `svg-${made.size}`);
    if (!made.has(key)) precisionLens(...command, "--quiet", "--svg", svg);
    made.set(key, svg);
    copyFileSync(join(svg, `${figure}.svg`), join(destination, `${name}.svg`));
  }
}

async function takeScreens(): Promise<void> {
  const destination = join(root, "docs/screens");
  mkdirSync(destination, { recursive: true });
  precisionLens("serve", "--export", page);
  precisionLens("demo", "--quiet", "--html", report);
  const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
  for (const { name, file, place, options, after } of screens.filter(isAsked)) {
    const context = await browser.newContext(options);
    const opened = await context.newPage();
    await opened.goto(pathToFileURL(file).href + place);
    await after?.(opened);
    await opened.screenshot({ path: join(destination, `${name}.png`) });
    await context.close();
  }
  await browser.close();
}

function precisionLens(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`precision-lens ${args.join(" ")}: ${stderr}`);
}
