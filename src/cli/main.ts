#!/usr/bin/env node
// A reader that stops early (`| head`) is not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(0);
    const reason = code === "ENOSPC" ? "no space left on the device" : `the system says ${code}`;
    if (stream === process.stdout) process.stderr.write(`error: cannot write to stdout: ${reason}\n`);
    process.exit(2);
  });
}
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

// The two programs share no modules, so objects of one are not instances of the other's classes.
const { main } = await (process.argv[2] === "diff" ? import("./diff-alone.js") : import("./all-commands.js"));
process.exitCode = await main(process.argv, { out: process.stdout, err: process.stderr, env: process.env });
