import type { ControlClient } from "../node/controlClient.ts";
import type { ProxyReport } from "./checkProxy.ts";

/** What a running process says of itself. Rejects with a `ControlError` where it has gone. */
export async function proxyReport(client: Pick<ControlClient, "state" | "models" | "signIn">): Promise<ProxyReport> {
  const [{ url, version, pid, upstreams }, models, signIn] = await Promise.all([
    client.state(),
    client.models().catch(() => []),
    client.signIn().catch(() => undefined),
  ]);
  return { origin: url, version, pid, upstreams, models, signIn };
}
