import { isJsonObject, type JsonObject } from "../wire/json.ts";
import { SignInError } from "./signInError.ts";

/** What a token endpoint gave. A refresh may leave out what stays as it is. */
export interface GivenTokens {
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
}

/** A refusal by the issuer, with what it says it is. */
export interface IssuerRefusal {
  readonly status: number;
  /** In small letters; undefined where it names none. */
  readonly code: string | undefined;
  readonly description: string | undefined;
}

/** The issuer said no. `SignInError` says what that means for the user. */
export class IssuerRefused extends Error {
  readonly refusal: IssuerRefusal;

  constructor(refusal: IssuerRefusal) {
    super(`The sign-in server refused (${refusalText(refusal)}).`);
    this.name = "IssuerRefused";
    this.refusal = refusal;
  }
}

/**
 * Reads a token endpoint's answer. It is read leniently and by hand: when it arrives the refresh token is spent, so tokens that can be used
 * must not be thrown away for a claim or a member that is not as the standard has it. Throws `IssuerRefused` (4xx), and a `SignInError`
 * where the issuer has a failure of its own or answers something else.
 */
export async function readTokenAnswer(response: Response): Promise<GivenTokens> {
  const body = await readJson(response);
  if (!response.ok) throw refusalOf(response.status, body);
  const given: GivenTokens = {
    accessToken: text(body?.["access_token"]),
    refreshToken: text(body?.["refresh_token"]),
    idToken: text(body?.["id_token"]),
  };
  if (given.accessToken === undefined && given.refreshToken === undefined) {
    throw new SignInError("failed", "The sign-in server answered without a token: start again in a few minutes.");
  }
  return given;
}

/** The JSON object of an answer; undefined where it is something else, a page for instance. Rejects with a `SignInError` where it is cut. */
export async function readJson(response: Response): Promise<JsonObject | undefined> {
  let content: string;
  try {
    content = await response.text();
  } catch {
    throw new SignInError("unreachable", "The sign-in server's answer broke off: check the network.");
  }
  try {
    const body: unknown = JSON.parse(content);
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** The error of an answer that is none of 2xx. Codes come as `{"error":{"code"}}`, `{"error"}` or `{"code"}`. */
export function refusalOf(status: number, body: JsonObject | undefined): IssuerRefused | SignInError {
  const error = body?.["error"];
  const code = isJsonObject(error)
    ? (text(error["code"]) ?? text(error["type"]))
    : (text(error) ?? text(body?.["code"]));
  const described = isJsonObject(error) ? error["message"] : (body?.["error_description"] ?? body?.["message"]);
  const refusal: IssuerRefusal = {
    status,
    // It goes into messages: nothing but a code may stand there, and tokens have digits.
    code: code !== undefined && /^[a-z_]{1,64}$/i.test(code) ? code.toLowerCase() : undefined,
    description: text(described),
  };
  // A page with a challenge comes as 403, and says nothing of the tokens.
  const isTransient = status >= 500 || status === 408 || status === 429 || status < 400;
  if (!isTransient) return new IssuerRefused(refusal);
  return new SignInError("unreachable", `The sign-in server cannot serve just now (${refusalText(refusal)}).`);
}

function refusalText({ status, code }: IssuerRefusal): string {
  return code === undefined ? `status ${status}` : `status ${status}, ${code}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
