import * as tls from "node:tls";
import type { Log } from "../ports.ts";

/**
 * The certificate authorities that upstreams are checked against: Node's own, those of NODE_EXTRA_CA_CERTS, those of the operating
 * system (where companies put the authority of their inspecting proxy) unless they are left out, and the given ones in PEM.
 */
export function createUpstreamTrust(
  extraCertificates: readonly string[],
  log?: Log,
  withSystem = true,
): tls.SecureContext {
  const authorities = new Set([
    ...tls.getCACertificates("default"),
    ...tls.getCACertificates("extra"),
    ...(withSystem ? systemCertificates(log) : []),
    ...extraCertificates,
  ]);
  return tls.createSecureContext({ ca: [...authorities] });
}

function systemCertificates(log: Log | undefined): readonly string[] {
  try {
    return tls.getCACertificates("system");
  } catch (error) {
    // A store that cannot be read must not take away the authorities that Node brings along.
    log?.warn(
      "The certificates of the operating system cannot be read: authorities that only it knows are not trusted",
      {
        cause: error instanceof Error ? error.message : String(error),
      },
    );
    return [];
  }
}
