/** What was written of a credit as a change of it: an amount without a sign is added. */
export function creditInput(written: string): string {
  const text = written.trim();
  return /^[+=-]/.test(text) ? text : `+${text}`;
}

/** What was written as patterns of models, with commas, spaces or both between them. */
export function modelsInput(written: string): string[] {
  return written.split(/[\s,]+/).filter((one) => one !== "");
}
