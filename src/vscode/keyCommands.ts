import { env, type QuickPickItem, window } from "vscode";

import type { ControlClient } from "../node/controlClient.ts";
import type { WrittenKey } from "../node/keyDraft.ts";
import type { KeyView, NewKeyView } from "../node/keyKeeping.ts";
import { writtenQuota, writtenRate } from "../node/writtenLimits.ts";
import { creditInput, modelsInput } from "./keyInputs.ts";
import { keyText } from "./keyText.ts";
import { answeringProcess, type WindowParts } from "./windowParts.ts";

interface Limit extends QuickPickItem {
  readonly field: "rate" | "quota" | "credit" | "expires" | "models" | "maxConcurrent";
  readonly example: string;
}

const LIMITS: readonly Limit[] = [
  { field: "credit", label: "Budget", description: "dollars that it may spend", example: "5.00" },
  {
    field: "quota",
    label: "Token quota",
    description: "tokens in all, or per 5h, day, 7d or month",
    example: "500000/day",
  },
  { field: "rate", label: "Rate", description: "requests per minute (default 60/m)", example: "60/m" },
  { field: "models", label: "Models", description: "patterns of the models that it may use", example: "gpt-*, x-ai/*" },
  { field: "maxConcurrent", label: "At once", description: "requests that may run at the same time", example: "4" },
  { field: "expires", label: "Expiry", description: "how long it is good", example: "30d" },
];

type RaisedLimit = "quota" | "rate" | "credit";

const RAISED: readonly { readonly label: string; readonly value: RaisedLimit }[] = [
  { label: "Token Quota", value: "quota" },
  { label: "Rate", value: "rate" },
  { label: "Credit", value: "credit" },
];

/** Asks for a label and limits, and makes a key. */
export async function newKey(parts: WindowParts): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const label = await window.showInputBox({
    title: "New Key (1/2)",
    prompt: "What is it for?",
    placeHolder: "laptop, codex, tests …",
    ignoreFocusOut: true,
  });
  if (label === undefined || label.trim() === "") return;
  const chosen = await window.showQuickPick(LIMITS, {
    title: "New Key (2/2)",
    placeHolder: "Limits to set; none is fine",
    canPickMany: true,
    ignoreFocusOut: true,
  });
  if (chosen === undefined) return;
  const limits: Partial<Record<Limit["field"], string>> = {};
  for (const { field, label: title, description, example } of chosen) {
    const value = await window.showInputBox({
      title: `New Key: ${title}`,
      ...(description === undefined ? {} : { prompt: description }),
      placeHolder: example,
      ignoreFocusOut: true,
    });
    if (value === undefined) return;
    if (value.trim() !== "") limits[field] = value.trim();
  }
  const { models, ...others } = limits;
  const written: WrittenKey = {
    label: label.trim(),
    ...others,
    ...(models === undefined ? {} : { models: modelsInput(models) }),
  };
  await giveOut(await running.client.addKey(written));
  parts.watch.refresh();
}

/** Shows the keys and what can be done with them. */
export async function manageKeys(parts: WindowParts): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const key = await pickKey(await running.client.keys(), true);
  if (key === undefined) return;
  if (key === "new") return newKey(parts);
  if (key.state === "revoked") {
    void window.showInformationMessage(`The key ${key.label} is revoked, and stays so: make a new one.`);
    return;
  }
  const actions = ["Add Credit", "Set Token Quota", "Set Rate", "Rotate", "Revoke"] as const;
  const action = await window.showQuickPick(actions, { title: `Key ${key.label}` });
  switch (action) {
    case "Add Credit":
      return addCredit(parts, key.id);
    case "Set Token Quota":
      await setQuota(running.client, key);
      break;
    case "Set Rate":
      await setRate(running.client, key);
      break;
    case "Rotate":
      await rotate(running.client, key);
      break;
    case "Revoke":
      await revoke(running.client, key);
      break;
    case undefined:
      return;
  }
  parts.watch.refresh();
}

/** Changes the credit of a key; asks which one where none is given. */
export async function addCredit(parts: WindowParts, keyId?: unknown): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const key = await givenKey(running.client, keyId);
  if (key === undefined) return;
  const change = await window.showInputBox({
    title: `Credit of ${key.label}`,
    prompt: `${key.credit_usd === null ? "Credit does not bound this key yet." : `It has $${key.credit_usd.toFixed(2)} left.`} Dollars to add, or =5 to set.`,
    placeHolder: "+5.00",
    ignoreFocusOut: true,
  });
  if (change === undefined || change.trim() === "") return;
  const { label, credit_usd: credit } = await running.client.changeCredit(key.id, creditInput(change));
  parts.watch.refresh();
  void window.showInformationMessage(`The key ${label} has $${(credit ?? 0).toFixed(2)} left.`);
}

/** Opens the input for a key's token quota or rate; asks for the key and for which of them where that is not given. */
export async function raiseLimit(parts: WindowParts, keyId?: unknown, limit?: unknown): Promise<void> {
  const running = await answeringProcess(parts);
  if (running === undefined) return;
  const key = await givenKey(running.client, keyId);
  if (key === undefined) return;
  const wanted = RAISED.find(({ value }) => value === limit)?.value ?? (await pickLimit(key));
  switch (wanted) {
    case "quota":
      await setQuota(running.client, key);
      break;
    case "rate":
      await setRate(running.client, key);
      break;
    case "credit":
      return addCredit(parts, key.id);
    case undefined:
      return;
  }
  parts.watch.refresh();
}

/** The key with this id, or the active one that the user picks. */
async function givenKey(client: ControlClient, keyId: unknown): Promise<KeyView | undefined> {
  const keys = await client.keys();
  const key = keys.find(({ id }) => id === keyId) ?? (await pickKey(keys.filter(({ state }) => state === "active")));
  return key === "new" ? undefined : key;
}

async function pickLimit({ label }: KeyView): Promise<RaisedLimit | undefined> {
  return (await window.showQuickPick([...RAISED], { title: `Raise a limit of ${label}` }))?.value;
}

async function setQuota(client: ControlClient, key: KeyView): Promise<void> {
  const quota = await window.showInputBox({
    title: `Token quota of ${key.label}`,
    prompt: "Tokens it may use in all, or in each 5h, day, 7d or month, as in 2000000/day; 0 for any number.",
    value: writtenQuota(key.limits),
    ignoreFocusOut: true,
  });
  if (quota !== undefined && quota.trim() !== "") await client.setKey(key.id, { quota });
}

async function setRate(client: ControlClient, key: KeyView): Promise<void> {
  const { requests_per_minute: perMinute } = key.limits;
  const rate = await window.showInputBox({
    title: `Rate of ${key.label}`,
    prompt: "Requests it may make, as in 60/m or 1000/h; 0 for any number.",
    value: perMinute === null ? "0" : writtenRate(perMinute),
    ignoreFocusOut: true,
  });
  if (rate !== undefined && rate.trim() !== "") await client.setKey(key.id, { rate });
}

async function rotate(client: ControlClient, key: KeyView): Promise<void> {
  const grace = await window.showQuickPick(
    [
      { label: "At once", grace: "0s" },
      { label: "In an hour", grace: "1h" },
      { label: "In a day", grace: "1d" },
    ],
    { title: `Rotate ${key.label}`, placeHolder: "When does the old secret end?" },
  );
  if (grace !== undefined)
    await giveOut(await client.rotateKey(key.id, grace.grace === "0s" ? undefined : grace.grace));
}

async function revoke(client: ControlClient, key: KeyView): Promise<void> {
  const chosen = await window.showWarningMessage(
    `Revoke the key ${key.label}? Its running requests end, and nothing brings it back.`,
    { modal: true },
    "Revoke",
  );
  if (chosen !== undefined) await client.revokeKey(key.id);
}

async function pickKey(keys: readonly KeyView[], offersNew = false): Promise<KeyView | "new" | undefined> {
  const items = keys.map((key) => ({ ...keyText(key), key }));
  const fresh = offersNew ? [{ label: "$(add) New Key", key: "new" as const }] : [];
  const chosen = await window.showQuickPick<QuickPickItem & { readonly key: KeyView | "new" }>([...fresh, ...items], {
    title: "Keys",
    placeHolder: keys.length === 0 ? "There is no key yet." : "Limits, use and what can be done",
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.key;
}

/** The secret can be had this one time: it goes to the clipboard, not onto the screen. */
async function giveOut({ label, key }: NewKeyView): Promise<void> {
  await env.clipboard.writeText(key);
  void window.showInformationMessage(
    `The key ${label} is on the clipboard. It is not shown again: paste it where it belongs now.`,
  );
}
