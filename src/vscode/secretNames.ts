/** What is kept in the editor's SecretStorage. */
export type SecretKind = "openai" | "openrouter" | "codex" | "windowKey" | "terminalKey";

/** Which host's secrets are meant. */
export interface SecretPlace {
  /**
   * `local`, or the name of the machine that the extension runs on. SecretStorage is shared by all windows of an editor, wherever their
   * extensions run, and a ChatGPT sign-in that two machines refresh is lost for both.
   */
  readonly host: string;
  /** Pretend secrets must not be mixed with real ones. */
  readonly sandbox: boolean;
}

/** The name of a secret; `detail` tells apart several of a kind. */
export function secretName({ host, sandbox }: SecretPlace, kind: SecretKind, detail?: string): string {
  const parts = ["patchbay", sandbox ? "sandbox" : "real", host, kind, ...(detail === undefined ? [] : [detail])];
  return parts.map(encodeURIComponent).join("/");
}

/** The kind of secret that a name of this place stands for; undefined for others'. */
export function secretKind(place: SecretPlace, name: string): SecretKind | undefined {
  const kinds: readonly SecretKind[] = ["openai", "openrouter", "codex", "windowKey", "terminalKey"];
  return kinds.find((kind) => name === secretName(place, kind) || name.startsWith(`${secretName(place, kind)}/`));
}
