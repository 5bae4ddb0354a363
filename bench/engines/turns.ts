import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** CPU seconds of one thread, in every turn. */
export interface Turns {
  readonly name: string;
  readonly seconds: number[];
}

export interface Player {
  readonly name: string;
  /** Does the whole question once; gives its CPU seconds. */
  play(): Promise<number>;
  end(): void;
}

/** A program that answers every line with its CPU seconds. */
export function program(name: string, path: string, args: readonly string[]): Player {
  const child = spawn(path, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name,
    async play() {
      child.stdin.write("\n");
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended`);
      return Number(value.split(" ")[0]);
    },
    end: () => child.stdin.end(),
  };
}

/** Something that this process does, with its threads. */
export function own(name: string, run: () => Promise<unknown>): Player {
  return {
    name,
    async play() {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    },
    end: () => undefined,
  };
}

/** All players, one after the other, so many times. The first turns, in which compilers work, are not counted. */
export async function inTurns(players: readonly Player[], turns: number): Promise<Turns[]> {
  const results = players.map(({ name }) => ({ name, seconds: [] as number[] }));
  try {
    for (let turn = -3; turn < turns; turn++) {
      for (const [i, player] of players.entries()) {
        const seconds = await player.play();
        if (turn >= 0) results[i].seconds.push(seconds);
      }
    }
  } finally {
    for (const player of players) player.end();
  }
  return results;
}

/** The middle one of the ratios of two in the same turn: how many times faster `a` is. */
export function timesFaster(a: Turns, b: Turns): number {
  return median(a.seconds.map((seconds, turn) => b.seconds[turn] / seconds));
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
