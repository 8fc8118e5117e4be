import type { Clock } from "../ports.ts";
import { bytesToBase64url } from "./base64url.ts";
import { sha256Text } from "./sha256.ts";

/** What a user agreed to, until it is exchanged for tokens. */
export interface Grant {
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly scope: string;
}

/** A device that waits for its user. */
export interface DeviceRequest {
  readonly deviceAuthId: string;
  readonly userCode: string;
  readonly expiresAt: number;
  approved: boolean;
}

/** What a device is told once its user agreed. */
export interface DeviceGrant {
  readonly authorization_code: string;
  readonly code_challenge: string;
  readonly code_verifier: string;
}

/** The bounded memory of what was agreed to and not yet fetched. */
export interface Grants {
  /** Makes a code that is good once, for ten minutes. */
  add(grant: Grant): Promise<string>;
  /** Takes the grant out; undefined where there is none any more. */
  take(code: string): Grant | undefined;
  addDevice(): Promise<DeviceRequest>;
  /** True where a device waits with this code. */
  approve(userCode: string): boolean;
  /** What to tell a device; once approved, it is told once. */
  poll(deviceAuthId: string, userCode: string): Promise<DeviceGrant | "pending" | "unknown">;
}

const CODE_LIFETIME_MS = 10 * 60_000;
const DEVICE_LIFETIME_MS = 15 * 60_000;
const LIMIT = 500;
const USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ";

/** Where a device's code is said to have been sent to. */
export const DEVICE_REDIRECT_PATH = "/deviceauth/callback";

/** Nothing agreed to yet. */
export function createGrants(clock: Clock): Grants {
  const codes = new Map<string, Grant & { readonly expiresAt: number }>();
  const devices = new Map<string, DeviceRequest>();
  let count = 0;

  async function unused(purpose: string): Promise<string> {
    count += 1;
    return await sha256Text(`${purpose} ${count} ${clock.now()}`);
  }

  async function add(grant: Grant): Promise<string> {
    const code = `ac_${(await unused("code")).slice(0, 43)}`;
    keep(codes, code, { ...grant, expiresAt: clock.now() + CODE_LIFETIME_MS });
    return code;
  }

  return {
    add,
    take(code) {
      const grant = codes.get(code);
      codes.delete(code);
      return grant === undefined || grant.expiresAt <= clock.now() ? undefined : grant;
    },
    async addDevice() {
      const digest = await unused("device");
      const letters = Array.from({ length: 8 }, (_, index) => letter(digest, index));
      const device: DeviceRequest = {
        deviceAuthId: `deviceauth_${digest.slice(32)}`,
        userCode: `${letters.slice(0, 4).join("")}-${letters.slice(4).join("")}`,
        expiresAt: clock.now() + DEVICE_LIFETIME_MS,
        approved: false,
      };
      keep(devices, device.deviceAuthId, device);
      return device;
    },
    approve(userCode) {
      const wanted = userCode.trim().toUpperCase();
      const device = [...devices.values()].find((one) => one.userCode === wanted && one.expiresAt > clock.now());
      if (device !== undefined) device.approved = true;
      return device !== undefined;
    },
    async poll(deviceAuthId, userCode) {
      const device = devices.get(deviceAuthId);
      if (device === undefined || device.userCode !== userCode || device.expiresAt <= clock.now()) return "unknown";
      if (!device.approved) return "pending";
      devices.delete(deviceAuthId);
      const verifier = await unused("verifier");
      const challenge = await codeChallenge(verifier);
      const code = await add({ redirectUri: DEVICE_REDIRECT_PATH, codeChallenge: challenge, scope: DEVICE_SCOPE });
      return { authorization_code: code, code_challenge: challenge, code_verifier: verifier };
    },
  };
}

const DEVICE_SCOPE = "openid profile email offline_access";

/** The S256 challenge of a PKCE verifier (RFC 7636 section 4.2). */
export async function codeChallenge(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return bytesToBase64url(new Uint8Array(digest));
}

function letter(digest: string, index: number): string {
  const place = Number.parseInt(digest.slice(index * 2, index * 2 + 2), 16) % USER_CODE_LETTERS.length;
  return USER_CODE_LETTERS.charAt(place);
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > LIMIT && oldest !== undefined) map.delete(oldest);
}
