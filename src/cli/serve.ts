import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { InputError } from "../source/input-error.js";
import { systemError } from "../source/system-error.js";
import { wholeNumber } from "./common-options.js";
import type { Streams } from "./streams.js";
import { expectWritable, writeWhole } from "./write-output.js";

/** Built by `npm run build`; the same relative path from src/cli and from dist/cli. */
const pagePath = fileURLToPath(new URL("../../dist/page/index.html", import.meta.url));

const host = "127.0.0.1";

interface ServeOptions {
  readonly port: number;
  readonly export?: string;
  readonly url?: string;
  readonly quiet?: boolean;
}

export function serveCommand({ out }: Streams): Command {
  return new Command("serve")
    .description(
      `Serves the interactive page on ${host} and prints its address. All is computed in the browser; nothing leaves ` +
        "the machine.",
    )
    .option("--port <n>", "port to listen on; 0 takes any free one", portNumber, 0)
    .option(
      "--export <file>",
      "write the page as one HTML file, which works from disk, to this file, or to stdout (-), and end",
    )
    .option(
      "--url <address>",
      "address of the published page, shown with its QR code at the end of the talk",
      webAddress,
    )
    .option("--quiet", "print no address")
    .action(async ({ port, export: path, url, quiet = false }: ServeOptions) => {
      if (path !== undefined && path !== "-") expectWritable(path);
      const page = withAddress(readPage(), url);
      if (path === "-") return void out.write(page);
      if (path !== undefined) return writeWhole(path, page);
      const address = await listen(pageServer(page), port);
      if (!quiet) out.write(`${address}\n`);
    });
}

function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65535) throw new InvalidArgumentError("expected a port from 0 to 65535");
  return port;
}

function webAddress(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError("expected an address such as https://example.org/lens");
  return new URL(text).href;
}

function withAddress(page: string, url: string | undefined): string {
  if (url === undefined) return page;
  const text = url.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  return page.replace(
    "<title>",
    () => `<meta name="precision-lens-address" content="${text}" />\n    <title>`,
  );
}

function readPage(): string {
  try {
    return readFileSync(pagePath, "utf8");
  } catch {
    throw new InputError(pagePath, "the built page (npm run build)", "none");
  }
}

/**
 * A server of one page. It only answers requests whose Host is the address it listens on, so that other sites cannot
 * reach it through a name that resolves to this machine (DNS rebinding).
 */
export function pageServer(page: string): Server {
  const bytes = Buffer.from(page);
  return createServer((request, response) => {
    if (!isOwnHost(request)) return refuse(response, 403, "this page is served to this machine only");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return refuse(response, 405, "there is nothing here but a page to read");
    }
    // No path maps to the file system; only the page is served.
    const [path] = (request.url ?? "").split("?");
    if (path !== "/" && path !== "/index.html") return refuse(response, 404, "there is no such page");
    response.writeHead(200, {
      ...securityHeaders,
      "Content-Type": "text/html; charset=utf-8",
      "Content-Length": bytes.length,
    });
    response.end(request.method === "HEAD" ? undefined : bytes);
  });
}

const securityHeaders = {
  "Cache-Control": "no-cache",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  // The page's own policy restricts loading; framing can only be forbidden in a header.
  "Content-Security-Policy": "frame-ancestors 'none'",
};

function isOwnHost({ headers, socket }: IncomingMessage): boolean {
  const port = socket.localPort;
  return headers.host === `${host}:${port}` || headers.host === `localhost:${port}`;
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { ...securityHeaders, "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${reason}\n`);
}

/** Listens and returns the address of the page. @throws InputError if the port is not available. */
function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(systemError(`port ${port}`, "a port that is free", error, "listen")),
    );
    server.listen(port, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}/`));
  });
}
