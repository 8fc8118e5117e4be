import { parseEvents, YAMLException } from "js-yaml";

/** A line that keeps a text from being YAML, counted from 1; undefined where it is YAML. */
export function invalidYamlLine(text: string): number | undefined {
  try {
    parseEvents(text, {});
    return undefined;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return (error.mark?.line ?? 0) + 1;
  }
}
