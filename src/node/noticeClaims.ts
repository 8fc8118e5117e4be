import { ApiError } from "../wire/errors.ts";
import { type ControlApi, jsonBody } from "./controlApi.ts";

/** More than a user sees in the life of a process. */
const MAXIMUM_CLAIMED = 1_000;
const MAXIMUM_CHARACTERS = 1_000;

/** Adds `POST /notices/claim`: every window hears of a limit that was hit, and the first that asks for an occasion is the one that tells of it. */
export function addNoticeClaims(api: ControlApi): void {
  const claimed = new Set<string>();
  api.post("/notices/claim", async (context) => {
    const { occasion } = await jsonBody(context);
    if (typeof occasion !== "string" || occasion === "" || occasion.length > MAXIMUM_CHARACTERS)
      throw new ApiError("invalid_request", "An occasion is a text of up to 1000 characters.");
    const isFirst = !claimed.has(occasion);
    claimed.add(occasion);
    const [oldest] = claimed;
    if (claimed.size > MAXIMUM_CLAIMED && oldest !== undefined) claimed.delete(oldest);
    return context.json({ isFirst });
  });
}
