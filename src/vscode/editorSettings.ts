import { workspace } from "vscode";

import type { Settings } from "./contributions.ts";
import type { ReadEditorSetting, ReadSetting } from "./preferences.ts";

/** Reads our settings; `package.json` has their defaults. */
export const readSetting: ReadSetting = <Name extends keyof Settings>(name: Name) =>
  workspace.getConfiguration("patchbay").get(name) as Settings[Name];

/** Reads settings of the editor's, without what a workspace says: a repository must not turn traffic aside. */
export const readEditorSetting: ReadEditorSetting = (name) => {
  const found = workspace.getConfiguration().inspect(name);
  return found?.globalValue ?? found?.defaultValue;
};
