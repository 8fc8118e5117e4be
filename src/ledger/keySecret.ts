/** Unguessable bytes: `crypto.getRandomValues` or its like. */
export type RandomBytes = (count: number) => Uint8Array;

const SECRET_PREFIX = "pb_";
const SECRET_BYTES = 32;
const ID_PREFIX = "key_";
const ID_LENGTH = 12;
/** 32 characters, none of which is easily taken for another. */
const ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** A new secret of a key, 256 bits. It is shown once; only its digest is ever stored. */
export function newKeySecret(randomBytes: RandomBytes): string {
  const binary = String.fromCharCode(...randomBytes(SECRET_BYTES));
  return SECRET_PREFIX + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A new id of a key, 60 bits. It is independent of the secret, which changes when the key is rotated. */
export function newKeyId(randomBytes: RandomBytes): string {
  let id = ID_PREFIX;
  for (const byte of randomBytes(ID_LENGTH)) id += ID_ALPHABET.charAt(byte % ID_ALPHABET.length);
  return id;
}
