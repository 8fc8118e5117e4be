import { connect, createServer, type AddressInfo } from "node:net";

const OPEN_DEADLINE_MS = 15_000;
const LOOK_MS = 20;

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Waits until somebody listens on a port. Rejects when nobody does in time. */
export async function untilOpen(port: number): Promise<void> {
  const deadline = performance.now() + OPEN_DEADLINE_MS;
  while (!(await isOpen(port))) {
    if (performance.now() > deadline) throw new Error(`Nobody listens on port ${port}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
