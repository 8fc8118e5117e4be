/** A client's configuration that cannot be edited. The message says in one sentence why, and what to do. */
export class ClientError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClientError";
  }
}

/** Says of which file an error is. */
export function aboutFile<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new ClientError(`${path} stays as it is. ${error.message}`, { cause: error });
  }
}
