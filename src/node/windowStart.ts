/** What a window starts the process with, as JSON in its only argument: nothing secret, because every user can list arguments. */
export interface WindowStart {
  readonly dataDirectory: string;
  /** The port to listen on, or the next one that is free. */
  readonly port: number;
  /** Answer from pretend upstreams. */
  readonly sandbox: boolean;
  readonly exitWhenIdleMs: number;
  /** 0 keeps all rows. */
  readonly retentionDays: number;
  readonly logRequests: boolean;
}

/** Set where a window starts the process for the sandbox. */
export const SANDBOX_VARIABLE = "PATCHBAY_SANDBOX";

/** Reads the argument. Throws an error for whoever starts the process by hand. */
export function readWindowStart(argument: string | undefined): WindowStart {
  let read: unknown;
  try {
    read = JSON.parse(argument ?? "");
  } catch {
    read = undefined;
  }
  const start = read as Partial<WindowStart> | null | undefined;
  if (typeof start?.dataDirectory !== "string" || typeof start.port !== "number")
    throw new Error("This process is started by VS Code: run `patchbay serve` instead.");
  return {
    dataDirectory: start.dataDirectory,
    port: start.port,
    sandbox: start.sandbox === true,
    exitWhenIdleMs: start.exitWhenIdleMs ?? 30_000,
    retentionDays: start.retentionDays ?? 0,
    logRequests: start.logRequests === true,
  };
}
