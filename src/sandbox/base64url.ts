/** Base64url without padding (RFC 4648 section 5) of a text's UTF-8 bytes. */
export function toBase64url(text: string): string {
  return bytesToBase64url(new TextEncoder().encode(text));
}

/** Base64url without padding of bytes. */
export function bytesToBase64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The text behind base64url; undefined where it is none. */
export function fromBase64url(text: string): string | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (one) => one.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
