import { type Stats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { InputError } from "./input-error.js";

/** What the system was asked for: to read or write a path, or to listen on a port. */
type Purpose = "read" | "write" | "listen";

/** What an error of the system has found, in words; by purpose where that makes a difference. */
const meanings = new Map<string, string | Readonly<Record<Purpose, string>>>([
  ["ENOENT", { read: "nothing there", write: "no folder that takes files", listen: "nothing there" }],
  ["EACCES", permission()],
  ["EPERM", permission()],
  ["EROFS", "a read-only file system"],
  ["EISDIR", "a folder"],
  ["ENOTDIR", "a path that leads through a file"],
  ["ENOTEMPTY", "a folder with files in it"],
  ["EEXIST", "something of that name"],
  ["ENAMETOOLONG", "a name that is too long"],
  ["ELOOP", "links that lead in a circle"],
  ["EBUSY", "one that is in use"],
  ["ETXTBSY", "a program that is running"],
  ["ENOSPC", "a full disk"],
  ["EDQUOT", "a quota that is used up"],
  ["EFBIG", "more than the file system takes in a file"],
  ["EMFILE", "too many open files"],
  ["ENFILE", "too many open files"],
  ["ENOMEM", "too little memory"],
  ["EIO", "a device that fails"],
  ["ENXIO", "a device that is not there"],
  ["ENODEV", "a device that is not there"],
  ["ESRCH", "a process that has ended"],
  ["ESTALE", "a file that its server has removed"],
  ["ETIMEDOUT", "a server that does not answer"],
  ["EINVAL", "a file system that does not allow it"],
  ["ENOSYS", "a file system that does not allow it"],
  ["ENOTSUP", "a file system that does not allow it"],
  ["EOPNOTSUPP", "a file system that does not allow it"],
  ["EADDRINUSE", "one that is in use"],
  ["EADDRNOTAVAIL", "no such address on this machine"],
  // Thrown by Node before the system sees the path, or when it has read it.
  ["ERR_INVALID_ARG_VALUE", "a path with a null character"],
  ["ERR_FS_FILE_TOO_LARGE", "more than 2 GiB"],
  ["ERR_STRING_TOO_LONG", "more than 512 MiB"],
]);

function permission(): Readonly<Record<Purpose, string>> {
  return {
    read: "no permission to read it",
    write: "no permission to write it",
    listen: "no permission to use it",
  };
}

/** The {@link InputError} for an error of the system; returns any other error unchanged. */
export function systemError(
  path: string,
  expected: string,
  error: unknown,
  purpose: Purpose = "read",
): unknown {
  const { code = "", errno } = error as NodeJS.ErrnoException;
  const meaning = meanings.get(code);
  if (meaning === undefined && errno === undefined) return error;
  const found = typeof meaning === "object" ? meaning[purpose] : meaning;
  return new InputError(path, expected, found ?? `the system error ${code}`);
}

/** @throws InputError if the path does not exist or is not accessible. */
export async function statPath(path: string, expected: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw systemError(path, expected, error);
  }
}

/** What is at a path, if anything. @throws InputError if the path leads nowhere or is not accessible. */
export function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw systemError(path, "a path that can be used", error);
  }
}

/** @throws InputError for anything but a regular file: opening a pipe, for example, would wait for its writer. */
export async function statFile(path: string): Promise<Stats> {
  const stats = await statPath(path, "a file");
  if (stats.isFile()) return stats;
  throw new InputError(path, "a file", stats.isDirectory() ? "a folder" : "a pipe, socket or device");
}
