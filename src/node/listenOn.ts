import type { Server } from "node:http";

/** Why a port could not be opened. */
export type ListenProblem = "port_taken" | "not_permitted" | "no_such_address" | "failed";

/** A port that could not be opened. The message says in one sentence what to do. */
export class ListenError extends Error {
  readonly problem: ListenProblem;

  constructor(problem: ListenProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ListenError";
    this.problem = problem;
  }
}

/** Listens and says where. Rejects with a `ListenError`. */
export function listenOn(server: Server, host: string, port: number): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? { host, port: address.port } : { host, port });
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const options = { cause: error };
  switch (error.code ?? "") {
    case "EADDRINUSE":
      return new ListenError(
        "port_taken",
        `Port ${port} on ${host} is taken by another program: stop that program or choose another port.`,
        options,
      );
    case "EACCES":
    case "EPERM":
      return new ListenError(
        "not_permitted",
        `The system does not permit listening on port ${port} of ${host}: choose a port above 1023.`,
        options,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ListenError(
        "no_such_address",
        `${host} is not an address of this machine: listen on 127.0.0.1 instead.`,
        options,
      );
    default:
      return new ListenError("failed", `Listening on ${host}:${port} failed: ${error.message}.`, options);
  }
}
