/** Unpacks a compressed answer for the meter, beside the bytes that the client gets. */
export interface Decoder {
  /** The reading was given up because more queued than may be held; the answer itself may be whole and sound. */
  readonly gaveUp: boolean;
  push(bytes: Uint8Array): void;
  /** Resolves when everything pushed has come out. Never rejects: broken bytes only end the reading. */
  finish(): Promise<void>;
}

/** Makes a decoder for a `Content-Encoding`; undefined where it is not known. */
export type CreateDecoder = (encoding: string, onPlain: (bytes: Uint8Array) => void) => Decoder | undefined;
