/** Every command of ours, as `package.json` contributes them. */
export const COMMANDS = [
  "patchbay.startProxy",
  "patchbay.stopProxy",
  "patchbay.restartProxy",
  "patchbay.showUsage",
  "patchbay.openUsage",
  "patchbay.newKey",
  "patchbay.manageKeys",
  "patchbay.addCredit",
  "patchbay.raiseLimit",
  "patchbay.useAnotherUpstream",
  "patchbay.copyBaseUrl",
  "patchbay.copyWindowKey",
  "patchbay.testConnection",
  "patchbay.connectCodex",
  "patchbay.connectOpencode",
  "patchbay.connectClient",
  "patchbay.disconnectClient",
  "patchbay.checkClients",
  "patchbay.mendClients",
  "patchbay.applyChange",
  "patchbay.discardChange",
  "patchbay.exportUsage",
  "patchbay.showLogs",
  "patchbay.setOpenaiKey",
  "patchbay.setOpenrouterKey",
  "patchbay.signInChatgpt",
  "patchbay.signInOpenrouter",
  "patchbay.signOut",
  "patchbay.openSettings",
] as const;

/** One of them. */
export type CommandId = (typeof COMMANDS)[number];

/** Every setting of ours, without the leading `patchbay.`, and what it holds. */
export interface Settings {
  readonly autoStart: boolean;
  readonly port: number;
  readonly exitWhenIdleSeconds: number;
  readonly defaultModel: string;
  readonly routes: Readonly<Record<string, "openai" | "openrouter" | "codex">>;
  readonly modelAliases: Readonly<Record<string, string>>;
  readonly unknownPrice: "refuse" | "allow";
  readonly openaiBaseUrl: string;
  readonly openrouterBaseUrl: string;
  readonly codexBaseUrl: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly retentionDays: number;
  readonly logRequests: boolean;
  readonly terminalEnvironment: boolean;
  readonly "statusBar.content": StatusBarContent;
  readonly "statusBar.lowPercent": number;
  readonly "notices.limits": boolean;
  readonly "notices.clients": boolean;
}

/** What the status bar shows. */
export type StatusBarContent = "tokensAndCost" | "tokens" | "cost" | "icon" | "hidden";

/** Their names, each once: a missing one does not compile. */
const SETTING_NAMES: Readonly<Record<keyof Settings, true>> = {
  autoStart: true,
  port: true,
  exitWhenIdleSeconds: true,
  defaultModel: true,
  routes: true,
  modelAliases: true,
  unknownPrice: true,
  openaiBaseUrl: true,
  openrouterBaseUrl: true,
  codexBaseUrl: true,
  allowedHosts: true,
  allowedOrigins: true,
  retentionDays: true,
  logRequests: true,
  terminalEnvironment: true,
  "statusBar.content": true,
  "statusBar.lowPercent": true,
  "notices.limits": true,
  "notices.clients": true,
};

/** The names of all settings, with `patchbay.` in front. */
export const SETTINGS: readonly string[] = Object.keys(SETTING_NAMES).map((name) => `patchbay.${name}`);

/** Every context key that we set, and what it holds. */
export interface ContextKeys {
  /** The connection's status. */
  readonly "patchbay.status": string;
  /** Whether a process answers. */
  readonly "patchbay.isUp": boolean;
  readonly "patchbay.isSignedIn": boolean;
  readonly "patchbay.hasOpenaiKey": boolean;
  readonly "patchbay.hasOpenrouterKey": boolean;
  /** Whether there is an upstream that can answer. */
  readonly "patchbay.hasUpstream": boolean;
  /** Whether anything was ever used. */
  readonly "patchbay.hasUsage": boolean;
  /** Whether a client is connected. */
  readonly "patchbay.hasClients": boolean;
  /** Whether a change of a client's files is being shown for an answer. */
  readonly "patchbay.isReviewing": boolean;
}

const CONTEXT_KEY_NAMES: Readonly<Record<keyof ContextKeys, true>> = {
  "patchbay.status": true,
  "patchbay.isUp": true,
  "patchbay.isSignedIn": true,
  "patchbay.hasOpenaiKey": true,
  "patchbay.hasOpenrouterKey": true,
  "patchbay.hasUpstream": true,
  "patchbay.hasUsage": true,
  "patchbay.hasClients": true,
  "patchbay.isReviewing": true,
};

/** Their names. */
export const CONTEXT_KEYS: readonly string[] = Object.keys(CONTEXT_KEY_NAMES);

/** The view in the panel area, and its container. */
export const USAGE_VIEW = "patchbay.usage";

/** The kind of the usage's editor tab, by which it comes back after a reload. */
export const USAGE_EDITOR = "patchbay.usageEditor";

/** Whether a command can be run now; a tooltip and a panel offer no others. The same is said in `package.json` as `enablement`. */
export function isEnabled(command: CommandId, keys: ContextKeys): boolean {
  const isStarting = keys["patchbay.status"] === "starting";
  if (command === "patchbay.startProxy") return !keys["patchbay.isUp"] && !isStarting;
  if (command === "patchbay.stopProxy") return keys["patchbay.isUp"] || isStarting;
  if (command === "patchbay.applyChange" || command === "patchbay.discardChange") return keys["patchbay.isReviewing"];
  return command !== "patchbay.signOut" || keys["patchbay.isSignedIn"];
}
