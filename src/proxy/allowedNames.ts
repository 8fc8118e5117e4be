/**
 * An origin as browsers write it into `Origin`, from what a person writes or copies from an address bar: `https://App.example/` is
 * `https://app.example`. `*` and `null` stand for themselves. Undefined for what is no origin.
 */
export function originOf(written: string): string | undefined {
  const text = written.trim();
  if (text === "*" || text === "null") return text;
  const [, scheme, authority] = /^([a-z][a-z\d+.-]*):\/\/([^/?#\s@]+)\/*$/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return undefined;
  const protocol = scheme.toLowerCase();
  // What stands behind other schemes (`chrome-extension`, `app`) is not changed by a browser.
  if (protocol !== "http" && protocol !== "https") return `${protocol}://${authority}`;
  return URL.canParse(`${protocol}://${authority}`) ? new URL(`${protocol}://${authority}`).origin : undefined;
}

/** The name in a `Host` header, in small letters and without its port; undefined where it is malformed. */
export function hostName(host: string): string | undefined {
  return /^(\[[0-9a-fA-F:.]+\]|[^:/@\s[\]]+)(:\d{1,5})?$/.exec(host)?.[1]?.toLowerCase();
}

/** A name as it stands in `Host`, from what a person writes: an IPv6 address may lack its brackets. Undefined for what is no name of a host. */
export function hostNameOf(written: string): string | undefined {
  const text = written.trim().toLowerCase();
  const name = hostName(text);
  // A pattern would match nothing: names are compared as they stand.
  if (name !== undefined) return name.includes("*") ? undefined : name;
  return /^[\da-f.]*(?::[\da-f.]*){2,}$/.test(text) ? `[${text}]` : undefined;
}
