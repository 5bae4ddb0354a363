/**
 * Times a new user's first minute: `npx` on the packed package with an empty cache, the page in Chromium, the talk up
 * to what bf16 hid. All steps are executed; docs/talk.md adds the time to read.
 * Usage: npm run bench -- first-minute
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { chromiumPath } from "../test/support/requirements.js";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The maximum time of a step on any machine, in milliseconds. */
const patience = 120_000;

export async function firstMinute(): Promise<void> {
  const executablePath = chromiumPath();
  if (executablePath === null) {
    process.stdout.write("no Chromium: apt-get install chromium-headless-shell, or CHROMIUM_PATH\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-minute-"));
  const args = ["pack", root, "--json", "--ignore-scripts", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(execFileSync("npm", args, { encoding: "utf8" }));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const began = performance.now();
  const say = (what: string) => {
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`| ${seconds.toFixed(1)} s | ${what} |\n`);
  };
  process.stdout.write(`${cpus()[0].model}, ${cpus().length} cores\n\n| clock | step |\n| ---: | --- |\n`);
  say("`npx precision-lens serve`, of which npm has nothing yet");
  const server = spawn(
    "npx",
    ["--yes", "--package", join(folder, filename), "precision-lens", "serve", "--port", "0"],
    { cwd: folder, env: { ...process.env, npm_config_cache: join(folder, "cache") }, detached: true },
  );
  try {
    const address = await firstLine(server);
    say("it is installed, and prints an address");
    await walk(browser, address, say);
  } finally {
    // Ends npx and the server that it started.
    if (server.pid !== undefined) process.kill(-server.pid, "SIGTERM");
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function walk(browser: Browser, address: string, say: (what: string) => void): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  page.setDefaultTimeout(patience);
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).waitFor();
  say("the address is opened: a matrix of 262,144 weights begins to train");
  const lens = page.locator(".finding .lens.lost");
  await lens.getByText("The updates were there all along").waitFor();
  say(`the first finding: "${await lens.textContent()}"`);
  await page.getByRole("link", { name: "Talk" }).click();
  await page
    .getByText(/after [1-9]\d\d steps/)
    .first()
    .waitFor();
  // Share and step of one moment.
  const shown = await page.locator("p:has([data-fact=unchanged-view])").textContent();
  const [, share, steps] = /^(\S+%)\D.*(after \d+ steps)$/.exec(shown!)!;
  say(`"Talk", scene 1: ${share} of a master's bf16 view unchanged ${steps}`);
  await page.keyboard.press("ArrowRight");
  await page
    .getByText(/after [2-9]\d steps/)
    .first()
    .waitFor();
  const [bf16, fp32] = await Promise.all(
    ["bf16", "fp32"].map((storage) => page.locator(`[data-fact=unchanged-${storage}]`).textContent()),
  );
  const title = await page.getByRole("heading", { level: 1 }).textContent();
  say(
    `→, scene 2: "${title}" ${bf16} unchanged in bf16, ${fp32} in fp32 from the same updates: bf16 hid them`,
  );
}

/** The address that `serve` prints, or the reason why there is none. */
function firstLine(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let problem = "";
    server.stderr!.on("data", (text) => {
      problem += text;
    });
    server.once("exit", (code) => reject(new Error(`npx ended with ${code}: ${problem}`)));
    createInterface(server.stdout!).once("line", (line) => {
      const [address] = /http:\S+/.exec(line) ?? [];
      if (address) resolve(address);
      else reject(new Error(`expected an address, found ${line}`));
    });
  });
}
