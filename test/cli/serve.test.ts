import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { ended, expectUsageError, output, type Ran, run, start } from "../support/cli.js";

const page = readFileSync(new URL("../../dist/page/index.html", import.meta.url), "utf8");
const folder = temporaryFolder();

describe("serve", () => {
  let server: ChildProcess;
  let done: Promise<Ran>;
  let printed: string;
  let port: number;

  beforeAll(async () => {
    server = start(["serve", "--port", "0"]);
    done = ended(server);
    printed = await new Promise((resolve) => server.stdout!.once("data", resolve));
    port = Number(new URL(printed).port);
  });
  afterAll(() => server.kill());

  interface Answer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }
  /** The path goes out as it is: `fetch` would tidy it. */
  function ask(path: string, { method = "GET", host = `127.0.0.1:${port}` } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port, path, method, headers: { host } }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (piece) => {
          body += piece;
        });
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      asked.on("error", reject).end();
    });
  }

  test("prints its address and nothing else", () => {
    expect(printed).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  });

  test("prints no address where it is to be quiet", async () => {
    const quiet = start(["serve", "--port", "0", "--quiet"]);
    const ran = ended(quiet);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    quiet.kill();
    expect((await ran).stdout).toBe("");
  });

  test.each(["/", "/index.html", "/?x=1"])("serves the page at %s", async (path) => {
    const { status, headers, body } = await ask(path);
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(body === page).toBe(true);
  });

  test("answers HEAD without a body, and refuses to be written to", async () => {
    expect(await ask("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      expect(await ask("/", { method })).toMatchObject({ status: 405 });
    }
  });

  test.each([
    "/package.json",
    "/../package.json",
    "/..%2f..%2fpackage.json",
    "/%2e%2e/%2e%2e/package.json",
    "/....//package.json",
    "//etc/passwd",
    "/etc/passwd",
    "/page/index.html",
    "/index.html/../../cli/main.js",
    "/index.html%00.js",
    "/..\\..\\package.json",
    "http://127.0.0.1/index.html",
  ])("has nothing at %s", async (path) => {
    const { status, body } = await ask(path);
    expect([status, body.slice(0, 80)]).toEqual([404, "there is no such page\n"]);
  });

  test.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.evil.example",
    "[::1]",
  ])("refuses those who call it %j", async (host) => {
    const { status, body } = await ask("/", { host });
    expect([status, body]).toEqual([403, "this page is served to this machine only\n"]);
  });

  test("knows itself as localhost", async () => {
    expect(await ask("/", { host: `localhost:${port}` })).toMatchObject({ status: 200 });
  });

  test("listens on no other address of this machine", async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of [...others, { address: "127.0.0.2" }]) {
      const outcome = await new Promise((resolve) => {
        const socket = connect(port, address, () => resolve("connected"));
        socket.on("error", ({ message }) => resolve(message));
      });
      expect(outcome).not.toBe("connected");
    }
  });

  test("a port that is taken is told in one sentence", async () => {
    const { status, stdout, stderr } = await run(["serve", "--port", `${port}`]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      `precision-lens: port ${port}: expected a port that is free, found one that is in use\n`,
    );
  });

  test("ends when it is told to", async () => {
    server.kill("SIGINT");
    expect((await done).status).toBe(130);
  });
});

describe("serve --export", () => {
  test("writes the page, whole, as one file", async () => {
    const path = join(folder, "page.html");
    expect(await output("serve", "--export", path)).toBe("");
    expect(readFileSync(path, "utf8") === page).toBe(true);
    expect((await output("serve", "--export", "-")) === page).toBe(true);
  });

  test("--url tells the page where it is found, and no address breaks out of its attribute", async () => {
    const html = await output(
      "serve",
      "--export",
      "-",
      "--url",
      'https://example.org/a"<b>?x=1&y=2#"><script>',
    );
    const [meta] = html.match(/<meta name="precision-lens-address" content="([^"<>]*)" \/>/)!;
    expect(html.replace(`${meta}\n    `, "") === page).toBe(true);
    expect(meta).toContain("https://example.org/a%22%3Cb%3E?x=1&#38;y=2#");
  });

  test.each([
    ["an address that no browser opens", ["--url", "lens"], /expected an address such as https/],
    ["an address that is a program", ["--url", "javascript:alert(1)"], /expected an address such as https/],
    ["a port out of range", ["--port", "65536"], /expected a port from 0 to 65535/],
    ["no port", ["--port", "x"], /expected a whole number/],
    ["an operand", ["page.html"], /too many arguments/],
  ])("%s is refused", async (_, args, message) => {
    await expectUsageError(["serve", ...args], message);
  });

  test("a folder that is not there is refused, and weights are never written over", async () => {
    for (const path of [join(folder, "none/page.html"), join(folder, "w.safetensors")]) {
      const { status, stdout } = await run(["serve", "--export", path]);
      expect([status, stdout]).toEqual([2, ""]);
    }
  });
});
