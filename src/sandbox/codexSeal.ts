import { isJsonObject } from "../wire/json.ts";
import { badRequest } from "./refusal.ts";
import type { Item } from "./responsesRequest.ts";
import { sha256Text } from "./sha256.ts";

const PREFIX = "gAAAAABsandbox";

/** The `encrypted_content` of an account's response: made from its id, so that any change to it shows. */
export async function seal(accountId: string, responseId: string): Promise<string> {
  const digest = await sha256Text(`patchbay-sandbox ${accountId} ${responseId}`);
  return `${PREFIX}.${responseId}.${digest}`;
}

/** Looks whether what comes back was made here, for this account, and is whole. Throws a RefusedError (400) where it is not. */
export async function checkSeals(accountId: string, items: readonly unknown[]): Promise<void> {
  for (const item of items) {
    if (!isJsonObject(item) || (item["type"] !== "reasoning" && item["type"] !== "compaction")) continue;
    const content = item["encrypted_content"];
    if (typeof content === "string" && content === (await seal(accountId, content.split(".")[1] ?? ""))) continue;
    throw badRequest(
      `The encrypted content for item ${nameOf(item)} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
      null,
      "invalid_encrypted_content",
    );
  }
}

function nameOf(item: Item): string {
  return typeof item["id"] === "string" ? item["id"] : "without an id";
}
