import type { SecureContext } from "node:tls";
import { Agent, buildConnector, Dispatcher, EnvHttpProxyAgent, Pool } from "undici";
import type { Log } from "../ports.ts";
import { createUpstreamTrust } from "./upstreamCertificates.ts";

/** How upstreams are reached. */
export interface UpstreamDispatcherSettings {
  /** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. The environment itself is not read here. */
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** Certificate authorities in PEM, besides those of Node, NODE_EXTRA_CA_CERTS and the system. */
  readonly extraCertificates?: readonly string[];
  /** Whether those of the system count; default true. */
  readonly systemCertificates?: boolean;
  /** Is told when the system's certificates cannot be read. */
  readonly log?: Log;
  /** False accepts any certificate; default true. */
  readonly strictTls?: boolean;
  /** Milliseconds until a connection stands, default 10 seconds. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until the head of an answer is there, default 10 minutes: reasoning models think before they answer. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds without a byte within an answer, default 1 hour. */
  readonly bodyTimeoutMs?: number;
  /** Milliseconds that an unused connection is kept, default 50 seconds: below the 60 seconds after which many load balancers close. */
  readonly idleConnectionMs?: number;
}

/**
 * Connections to the upstreams, as many as there are requests, HTTP/1.1 without pipelining: each request has its connection to itself, so
 * that its back-pressure and its abort concern nobody else.
 *
 * Certificates are loaded by the first connection that needs them. Loopback upstreams are never reached through a forward proxy.
 * Throws an error with one sentence when a proxy's address cannot be understood.
 */
export function createUpstreamDispatcher(settings: UpstreamDispatcherSettings = {}): Dispatcher {
  const connector = new LazyConnector(settings);
  const options: Agent.Options = {
    connect: connector.connect,
    allowH2: false,
    pipelining: 1,
    headersTimeout: settings.headersTimeoutMs ?? 600_000,
    bodyTimeout: settings.bodyTimeoutMs ?? 3_600_000,
    keepAliveTimeout: settings.idleConnectionMs ?? 50_000,
  };
  const direct = new Agent(options);
  const httpProxy = proxyAddress("HTTP_PROXY", settings.httpProxy);
  const httpsProxy = proxyAddress("HTTPS_PROXY", settings.httpsProxy);
  if (httpProxy === "" && httpsProxy === "") return direct;

  return new ProxiedDispatcher(direct, () => {
    const tls = connector.tlsOptions();
    return new EnvHttpProxyAgent({
      ...options,
      // Given even where they are empty: what is missing would be taken from the environment.
      httpProxy,
      httpsProxy,
      noProxy: settings.noProxy ?? "",
      requestTls: tls,
      proxyTls: tls,
      clientFactory: (origin) => new Pool(origin, options),
    });
  });
}

/** Makes connections; loads the certificates with the first one that is encrypted. */
class LazyConnector {
  readonly #settings: UpstreamDispatcherSettings;
  #trust: SecureContext | undefined;
  #plain: buildConnector.connector | undefined;
  #encrypted: buildConnector.connector | undefined;

  constructor(settings: UpstreamDispatcherSettings) {
    this.#settings = settings;
  }

  /** One context for all connections: parsing hundreds of authorities takes tens of milliseconds. */
  tlsOptions(): buildConnector.BuildOptions {
    this.#trust ??= createUpstreamTrust(
      this.#settings.extraCertificates ?? [],
      this.#settings.log,
      this.#settings.systemCertificates ?? true,
    );
    return {
      timeout: this.#settings.connectTimeoutMs ?? 10_000,
      allowH2: false,
      secureContext: this.#trust,
      rejectUnauthorized: this.#settings.strictTls ?? true,
    };
  }

  readonly connect: buildConnector.connector = (target, callback) => {
    if (target.protocol === "https:") {
      this.#encrypted ??= buildConnector(this.tlsOptions());
      this.#encrypted(target, callback);
    } else {
      this.#plain ??= buildConnector({ timeout: this.#settings.connectTimeoutMs ?? 10_000 });
      this.#plain(target, callback);
    }
  };
}

/** Sends loopback requests directly, all others as the proxy settings say. */
class ProxiedDispatcher extends Dispatcher {
  readonly #direct: Dispatcher;
  readonly #make: () => Dispatcher;
  #proxied: Dispatcher | undefined;

  constructor(direct: Dispatcher, make: () => Dispatcher) {
    super();
    this.#direct = direct;
    this.#make = make;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isLoopback(String(options.origin))) return this.#direct.dispatch(options, handler);
    this.#proxied ??= this.#make();
    return this.#proxied.dispatch(options, handler);
  }

  override async close(): Promise<void> {
    await Promise.all([this.#direct.close(), this.#proxied?.close()]);
  }

  override async destroy(cause?: Error | null | (() => void)): Promise<void> {
    const reason = cause instanceof Error ? cause : null;
    await Promise.all([this.#direct.destroy(reason), this.#proxied?.destroy(reason)]);
  }
}

function isLoopback(origin: string): boolean {
  const host = new URL(origin).hostname;
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

function proxyAddress(variable: string, value: string | undefined): string {
  const given = value?.trim() ?? "";
  if (given === "") return "";
  // As curl reads it: without a scheme it is an HTTP proxy.
  const address = given.includes("://") ? given : `http://${given}`;
  if (!URL.canParse(address)) throw new Error(`${variable} is not a proxy address such as http://proxy.example:8080.`);
  return address;
}
