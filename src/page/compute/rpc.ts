/** Remote calls over a port: a numbered request, and one answer with the same number. */

/** The common interface of both ends of a worker. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

type Methods = Readonly<Record<string, (argument: never) => unknown>>;

/** The methods as called from the other end. */
export type Remote<T extends Methods> = <Name extends keyof T & string>(
  name: Name,
  argument: Parameters<T[Name]>[0],
  transfer?: ArrayBuffer[],
) => Promise<Awaited<ReturnType<T[Name]>>>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** What an error is, since its class does not pass a port: a refusal of the user's input, no GPU, or a fault of the page. */
export type ErrorKind = "refusal" | "no-gpu" | "fault";

type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string; readonly kind: ErrorKind };

/** An error from the other end, in one sentence. */
export class RemoteError extends Error {
  constructor(
    message: string,
    readonly kind: ErrorKind,
  ) {
    super(message);
  }
}

/** Answers calls in order. `buffersOf` lists the buffers of a result to transfer instead of copying. */
export function serve(
  port: Port,
  methods: Methods,
  buffersOf: (result: unknown) => ArrayBuffer[],
  kindOf: (error: unknown) => ErrorKind,
): void {
  let turn: Promise<void> = Promise.resolve();
  port.onmessage = ({ data }) => {
    const { id, name, argument } = data as Request;
    turn = turn.then(async () => {
      try {
        const result = await methods[name](argument as never);
        port.postMessage({ id, result } satisfies Answer, buffersOf(result));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        port.postMessage({ id, error: message, kind: kindOf(error) } satisfies Answer, []);
      }
    });
  };
}

export function connect<T extends Methods>(port: Port): Remote<T> {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let calls = 0;
  port.onmessage = ({ data }) => {
    const answer = data as Answer;
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) caller?.reject(new RemoteError(answer.error, answer.kind));
    else caller?.resolve(answer.result);
  };
  return (name, argument, transfer = []) =>
    new Promise((resolve, reject) => {
      const id = calls++;
      waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      port.postMessage({ id, name, argument } satisfies Request, transfer);
    });
}
