import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ExtensionContext, window, workspace } from "vscode";

import { connectControl } from "../node/controlClient.ts";
import { lookUpControlPath } from "../node/controlPlace.ts";
import { dataDirectory } from "../node/dataDirectory.ts";
import { withFileLock } from "../node/fileLock.ts";
import { windowClient } from "../node/windowClient.ts";
import { SANDBOX_VARIABLE } from "../node/windowStart.ts";
import { createClientAccess } from "./clientAccess.ts";
import { registerCommands } from "./commandTable.ts";
import { contextKeysOf, createContextKeyTeller } from "./contextKeys.ts";
import { type CommandId, type ContextKeys, isEnabled } from "./contributions.ts";
import { offerChanged, storePending } from "./credentialHandover.ts";
import { createDamagedLedgerNotice } from "./damagedLedgerNotice.ts";
import { dataFolderProblem } from "./dataFolderProblem.ts";
import { readEditorSetting, readSetting } from "./editorSettings.ts";
import { openEditorSecrets } from "./editorSecrets.ts";
import { handOver } from "./handover.ts";
import { homeDirectory } from "./homeDirectory.ts";
import { planNotice, refusalNotice } from "./limitNotices.ts";
import { createLogTail, lastLoggedError } from "./logTail.ts";
import { createNoticeShower } from "./noticeShower.ts";
import { createCallbackUris } from "./openrouterSignIn.ts";
import { RESTART_SETTINGS, windowSettings, windowStart } from "./preferences.ts";
import { createProxyConnection } from "./proxyConnection.ts";
import { exportUsage } from "./proxyCommands.ts";
import { rangeStart } from "./rangeStart.ts";
import { spawnProxyProcess } from "./spawnProcess.ts";
import { createStatusBar } from "./statusBar.ts";
import { createTerminalEnvironment } from "./terminalEnvironment.ts";
import { createUsagePanels } from "./usagePanel.ts";
import { createUsageWatch } from "./usageWatch.ts";
import { answeringNow, answeringProcess, type WindowParts } from "./windowParts.ts";

const HAD_USAGE = "hadUsage";
const DATA_DIRECTORY_VARIABLE = "PATCHBAY_DATA_DIR";

/** Wires the window's parts. Nothing in here waits, and nothing touches the disk: the host is shared by all extensions. */
export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Patchbay", { log: true });
  const version = String(context.extension.packageJSON.version);
  const sandbox = process.env[SANDBOX_VARIABLE] === "1";
  const ownDirectory = dataDirectory({
    environment: process.env,
    platform: process.platform,
    homeDirectory: homeDirectory(),
  });
  // As the command line has it: pretend money goes beside the real, unless its folder was chosen.
  const isChosen = (process.env[DATA_DIRECTORY_VARIABLE] ?? "") !== "";
  const directory = sandbox && !isChosen ? join(ownDirectory, "sandbox") : ownDirectory;
  const secrets = openEditorSecrets(context, sandbox);
  const logTail = createLogTail(directory, ({ level, text }) => log[level](`process: ${text}`));
  let spawnedAt = 0;

  const connection = createProxyConnection({
    version,
    find: async () => connectControl(await lookUpControlPath(directory, process.env)),
    async spawn() {
      spawnedAt = Date.now();
      const script = context.asAbsolutePath(join("dist", "process.js"));
      return spawnProxyProcess(script, windowStart(readSetting, directory, sandbox), process.env);
    },
    isOfWindows: async (client) => (await windowClient(client).settings()) !== undefined,
    handOver: (client) => handOver(windowClient(client), windowSettings(readSetting, readEditorSetting), secrets),
    lastFailure: async () => (await lastLoggedError(directory, spawnedAt)) ?? dataFolderProblem(directory),
    wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal, ref: false }).catch(() => undefined),
    monotonic: () => performance.now(),
    log,
    onRevived() {
      void window.showWarningMessage(
        "The Patchbay proxy had ended and was started again; requests on their way were lost.",
      );
    },
  });
  const watch = createUsageWatch({ connection, later, now: () => Date.now(), log });
  const parts: WindowParts = { context, log, connection, watch, secrets };

  const clients = createClientAccess({
    connection,
    watch,
    load: () => import("./clientOffice.ts"),
    onChange: update,
    office: {
      directory,
      expectedOrigin: () => `http://127.0.0.1:${readSetting("port")}`,
      process: () => answeringProcess(parts),
      present: () => answeringNow(parts),
      showNotice: createNoticeShower(context.globalState, () => readSetting("notices.clients")),
    },
  });

  const keysNow = (): ContextKeys =>
    contextKeysOf(connection.view, watch.facts, context.globalState.get(HAD_USAGE) === true, clients.facts);
  const tellKeys = createContextKeyTeller();
  const statusBar = createStatusBar({
    view: () => connection.view,
    facts: () => watch.facts,
    isEnabled: (command: CommandId) => isEnabled(command, keysNow()),
    read: readSetting,
  });
  const showNotice = createNoticeShower(
    context.globalState,
    () => readSetting("notices.limits"),
    async (occasion) => connection.client === undefined || windowClient(connection.client).claimNotice(occasion),
  );
  const panels = createUsagePanels({
    context,
    connection,
    watch,
    keys: keysNow,
    exportView: ({ range, key, model }) => exportUsage(parts, { since: rangeStart(range, Date.now()), key, model }),
  });
  const callbacks = createCallbackUris();
  const terminals = createTerminalEnvironment({
    isWanted: () => readSetting("terminalEnvironment"),
    running: () => answeringNow(parts),
    variables: () => context.environmentVariableCollection,
    secrets,
    alone: (work) => withFileLock(join(directory, "terminals.lock"), work),
    log,
  });

  function update(): void {
    const keys = keysNow();
    tellKeys(keys);
    statusBar.update();
    if (keys["patchbay.hasUsage"] && context.globalState.get(HAD_USAGE) !== true)
      void context.globalState.update(HAD_USAGE, true);
  }

  const noticeDamagedLedger = createDamagedLedgerNotice();
  connection.onChange(() => {
    update();
    noticeDamagedLedger(connection.view);
    void terminals.update();
  });
  watch.onChange((what) => {
    if (what === "live") return statusBar.update();
    update();
    const { plan } = watch.facts;
    const notice = plan === undefined ? undefined : planNotice(plan, Date.now());
    if (notice !== undefined) showNotice(notice);
  });
  let keyChanges = 0;
  connection.onEvent((event) => {
    const { client } = connection;
    if (event.type === "credentials" && client !== undefined)
      storePending(event.pending, secrets, windowClient(client)).catch((error: Error) =>
        log.error("The refreshed ChatGPT sign-in could not be stored.", { cause: error.message }),
      );
    if (event.type === "keys") keyChanges += 1;
    if (event.type !== "refusal") return;
    const { code, keyId, at } = event.refusal;
    const labelOf = (keyId: string) => watch.facts.keys.find(({ id }) => id === keyId)?.label;
    const notice = refusalNotice(event.refusal, labelOf, keyChanges);
    if (notice !== undefined) showNotice(notice, `${code} ${keyId ?? ""} ${at}`);
  });

  context.subscriptions.push(
    log,
    { dispose: () => connection.dispose() },
    { dispose: () => logTail.dispose() },
    statusBar,
    panels,
    callbacks,
    clients,
    ...registerCommands({ parts, panels, logTail, callbacks, clients }),
    secrets.onDidChange((kind) => {
      const { client } = connection;
      if (client === undefined) return;
      offerChanged(kind, secrets, windowClient(client)).then(
        () => watch.refresh(),
        (error: Error) => log.error("A changed secret could not be handed over.", { cause: error.message }),
      );
    }),
    window.onDidChangeWindowState(({ focused }) => {
      if (focused) watch.lookAtClock();
    }),
    workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("patchbay.statusBar")) statusBar.update();
      if (change.affectsConfiguration("patchbay.terminalEnvironment")) void terminals.update();
      if (!change.affectsConfiguration("patchbay") && !change.affectsConfiguration("http")) return;
      const { client } = connection;
      if (client === undefined) return;
      try {
        await windowClient(client).applySettings(windowSettings(readSetting, readEditorSetting));
      } catch (error) {
        void window.showErrorMessage(error instanceof Error ? error.message : String(error));
      }
      if (!RESTART_SETTINGS.some((name) => change.affectsConfiguration(`patchbay.${name}`))) return;
      const chosen = await window.showInformationMessage(
        "This setting counts after a restart of the proxy.",
        "Restart Proxy",
      );
      if (chosen !== undefined) await connection.restart();
    }),
  );
  log.info(`Patchbay ${version}`, { sandbox });
  update();
  if (readSetting("autoStart")) void connection.start();
  else connection.lookOut();
}

function later(delayMs: number, work: () => void): () => void {
  const timer = setTimeout(work, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
