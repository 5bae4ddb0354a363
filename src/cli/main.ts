#!/usr/bin/env node
// A reader that has seen enough (`| head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
}
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

// Two programs that share no module: an object of one is no instance of a class of the other.
const { main } = await (process.argv[2] === "diff" ? import("./diff-alone.js") : import("./all-commands.js"));
process.exitCode = await main(process.argv, { out: process.stdout, err: process.stderr, env: process.env });
