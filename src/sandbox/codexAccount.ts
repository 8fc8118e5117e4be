import { signedInUser } from "./codexCaller.ts";
import { type Exchange, jsonAnswer } from "./exchange.ts";

/** `GET /wham/usage`: how full the plan's windows are. Throws a RefusedError. */
export async function codexUsage(exchange: Exchange): Promise<Response> {
  const user = await signedInUser(exchange);
  return jsonAnswer(exchange, exchange.room.codex.limits.report(user));
}

/** `GET /wham/accounts/check`: which of the user's workspaces is served where. Throws a RefusedError. */
export async function checkAccounts(exchange: Exchange): Promise<Response> {
  const user = await signedInUser(exchange);
  const account = {
    id: user.accountId,
    plan_type: user.planType,
    structure: "personal",
    name: null,
    // Anything else would send Codex to another place, past whatever is being tried out here.
    workspace_backend_origin: "NO_CONSTRAINT",
    account_routing_override: "NO_CONSTRAINT",
  };
  return jsonAnswer(exchange, {
    accounts: [account],
    account_ordering: [user.accountId],
    default_account_id: user.accountId,
  });
}
