import { expect, it } from "vitest";
import { ThreadEnded } from "../../src/lens/thread-ended.js";

it("is an error of its own name that says why, if that is known", () => {
  const unknown = new ThreadEnded();
  expect(unknown).toBeInstanceOf(Error);
  expect(unknown.name).toBe("ThreadEnded");
  expect(unknown.message).toBe("a thread ended before its work was done");
  expect(new ThreadEnded("out of memory").message).toBe(
    "a thread ended before its work was done: out of memory",
  );
});
