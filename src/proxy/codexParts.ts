import type { Catalogue } from "../codex/catalogue.ts";
import type { Conversations } from "../codex/conversations.ts";
import type { ModelAliases } from "../codex/modelNames.ts";
import type { TokenKeeper } from "../codex/tokenKeeper.ts";
import type { RoutedAccess, WorkspaceRoute } from "../codex/workspaceRouting.ts";

/** The ChatGPT Codex backend, as the proxy uses it. */
export interface CodexParts {
  /** Undefined where the program was started without a place for a sign-in: callers may still bring their own. */
  readonly keeper: TokenKeeper | undefined;
  readonly catalogue: Catalogue;
  readonly conversations: Conversations;
  /** The user's stand-ins for retired models. */
  readonly aliases: () => ModelAliases;
  /** Whether requests for its models go there: somebody is signed in, or was until the sign-in ended. Cheap enough for every request. */
  isSignedIn(): Promise<boolean>;
  /** Where this account's workspace has its requests handled: nowhere in particular for most. */
  route(access: RoutedAccess): Promise<WorkspaceRoute>;
  /** Is shown the headers of every answer and the limits in its events: the plan's windows are read from them. */
  noteHeaders(accountId: string, header: (name: string) => string | undefined, names: readonly string[]): void;
  noteLimits(accountId: string, event: Readonly<Record<string, unknown>>): void;
  /** Is told which fields of a request were left out because the backend refuses them. */
  noteDropped(fields: readonly string[]): void;
  /** What our requests say of their sender, `patchbay/1.2.3`. */
  readonly userAgent: string;
}
