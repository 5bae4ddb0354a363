import { describe, expect, test } from "vitest";
import { printable } from "../../src/lens/printable.js";
import { InputError, quote } from "../../src/source/input-error.js";
import { systemError } from "../../src/source/system-error.js";

describe("quote", () => {
  test.each([
    ["plain", "layers.0.weight", '"layers.0.weight"'],
    ["quotes and backslashes", 'a"b\\c', '"a\\"b\\\\c"'],
    ["line breaks", "a\nb\r\u2028\u2029", '"a\\nb\\r\\u2028\\u2029"'],
    ["terminal escapes, 7 and 8 bits", "\u001b[31m\u009b31m\u007f", '"\\u001b[31m\\u009b31m\\u007f"'],
    ["bidirectional overrides", "a\u202egpj.exe\u2066", '"a\\u202egpj.exe\\u2066"'],
    ["zero width, byte order mark", "a\u200b\ufeff", '"a\\u200b\\ufeff"'],
    ["tag characters, beyond 16 bits", "\u{e0041}", '"\\udb40\\udc41"'],
    ["lone surrogates", "\ud800x", '"\\ud800x"'],
    ["other scripts stay", "重み🙂", '"重み🙂"'],
  ])("%s", (_, text, expected) => expect(quote(text)).toBe(expected));

  test("cuts long text", () => {
    expect(quote("x".repeat(120))).toBe(`"${"x".repeat(120)}"`);
    expect(quote("x".repeat(121))).toBe(`"${"x".repeat(120)}…"`);
    expect(quote("\u0001".repeat(10 ** 6)).length).toBeLessThan(750);
  });
});

test("printable leaves a path as it is typed", () => {
  expect(printable('C:\\runs\\"a"\\b c.safetensors')).toBe('C:\\runs\\"a"\\b c.safetensors');
  expect(printable("a\u001b]0;title\u0007")).toBe("a\\u001b]0;title\\u0007");
});

test("InputError is one sentence", () => {
  const error = new InputError("a\n.safetensors", "this", "that");
  expect(error.message).toBe("a\\u000a.safetensors: expected this, found that");
  expect(error.name).toBe("InputError");
});

describe("systemError", () => {
  test.each([
    ["EACCES", -13, "no permission to read it"],
    ["EIO", -5, "a device that fails"],
    ["ENOSPC", -28, "a full disk"],
    ["EUNKNOWN", -999, "the system error EUNKNOWN"],
    // Of Node, without a number.
    ["ERR_FS_FILE_TOO_LARGE", undefined, "more than 2 GiB"],
  ])("%s becomes a sentence", (code, errno, found) => {
    const error = systemError("f", "a file", Object.assign(new Error(), { code, errno }));
    expect(error).toEqual(new InputError("f", "a file", found));
  });

  test.each([
    ["EACCES", "read", "no permission to read it"],
    ["EACCES", "write", "no permission to write it"],
    ["EPERM", "write", "no permission to write it"],
    ["EACCES", "listen", "no permission to use it"],
    ["ENOENT", "read", "nothing there"],
    ["ENOENT", "write", "no folder that takes files"],
    ["ELOOP", "write", "links that lead in a circle"],
  ] as const)("%s says what it was asked for: to %s", (code, purpose, found) => {
    const error = systemError("f", "a file", Object.assign(new Error(), { code, errno: -1 }), purpose);
    expect(error).toEqual(new InputError("f", "a file", found));
  });

  test("leaves other errors alone", () => {
    const bug = new TypeError("a bug");
    expect(systemError("f", "a file", bug)).toBe(bug);
    const refused = new InputError("g", "a", "b");
    expect(systemError("f", "a file", refused)).toBe(refused);
  });
});
