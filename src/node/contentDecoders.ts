import { promisify } from "node:util";
import zlib from "node:zlib";
import type { CreateDecoder } from "../proxy/decoder.ts";
import type { DecodeBody } from "../proxy/requestFacts.ts";

/** Encodings that clients and upstreams use in practice (RFC 9110 section 8.4.1; zstd: RFC 8878). */
const streams: ReadonlyMap<string, () => zlib.Gunzip | zlib.Inflate | zlib.BrotliDecompress | zlib.ZstdDecompress> =
  new Map([
    ["gzip", () => zlib.createGunzip()],
    ["x-gzip", () => zlib.createGunzip()],
    ["deflate", () => zlib.createInflate()],
    ["br", () => zlib.createBrotliDecompress()],
    ["zstd", () => zlib.createZstdDecompress()],
  ]);

type Unpack = (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

const whole: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ["gzip", promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)],
  ["x-gzip", promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)],
  ["deflate", promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflate)],
  ["br", promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress)],
  ["zstd", promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)],
]);

/** A client that reads faster than we unpack makes the packed bytes queue up here; above this much the answer goes on unread. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Unpacks an answer as it passes, off the main thread. */
export const createDecoder: CreateDecoder = (encoding, onPlain) => {
  const make = streams.get(encoding.trim().toLowerCase());
  if (make === undefined) return undefined;
  const stream = make();
  let over = false;
  let gaveUp = false;
  const { promise: done, resolve } = Promise.withResolvers<void>();

  function ended(): void {
    over = true;
    resolve();
  }

  stream.on("data", onPlain);
  stream.once("end", ended);
  // Broken or truncated packing ends the reading; the client gets the bytes as they are.
  stream.once("error", ended);

  function giveUp(): void {
    gaveUp = true;
    over = true;
    stream.off("data", onPlain);
    // Closes without `end` or `error`, neither of which would come any more.
    stream.once("close", ended);
    stream.destroy();
  }

  return {
    get gaveUp() {
      return gaveUp;
    },
    push(bytes) {
      if (over) return;
      if (stream.writableLength + bytes.length > MAX_QUEUED_BYTES) giveUp();
      else stream.write(bytes);
    },
    finish() {
      if (!over) stream.end();
      return done;
    },
  };
};

/** Unpacks a request's body in one piece. */
export const decodeBody: DecodeBody = async (encoding, body, limitBytes) => {
  const unpack = whole.get(encoding.trim().toLowerCase());
  if (unpack === undefined) return undefined;
  try {
    return await unpack(body, { maxOutputLength: limitBytes });
  } catch {
    return undefined;
  }
};
