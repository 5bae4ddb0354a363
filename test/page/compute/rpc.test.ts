import { expect, test } from "vitest";
import { connect, type ErrorKind, type Port, RemoteError, serve } from "../../../src/page/compute/rpc.js";

class Refused extends Error {}

/** Methods behind a channel, whose errors are refusals where they are of one class. */
function remote<T extends Parameters<typeof serve>[1]>(methods: T) {
  const { port1, port2 } = new MessageChannel();
  const kindOf = (error: unknown): ErrorKind => (error instanceof Refused ? "refusal" : "fault");
  serve(port1 as unknown as Port, methods, () => [], kindOf);
  return { call: connect<T>(port2 as unknown as Port), close: () => port1.close() };
}

test("an error arrives with its sentence and its kind, which is not read from the sentence", async () => {
  const { call, close } = remote({
    refuse: () => {
      throw new Refused("expected a file, found none");
    },
    fail: () => {
      throw new Error("expected a file, found none");
    },
    double: (x: number) => 2 * x,
  });
  const caught = (name: "refuse" | "fail") => call(name, null as never).catch((error: unknown) => error);
  const [refusal, fault] = [await caught("refuse"), await caught("fail")];
  expect(refusal).toBeInstanceOf(RemoteError);
  expect(refusal).toMatchObject({ message: "expected a file, found none", kind: "refusal" });
  expect(fault).toMatchObject({ message: "expected a file, found none", kind: "fault" });
  // The next call is answered all the same.
  expect(await call("double", 21)).toBe(42);
  close();
});
