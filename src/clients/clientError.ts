/** A client's configuration that cannot be edited. The message says in one sentence why, and what to do. */
export class ClientError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClientError";
  }
}
