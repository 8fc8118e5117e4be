type Fields = Readonly<Record<string, unknown>>;

const MAXIMUM_DEPTH = 16;
const EXAMPLE_TEXT = "Hello from the Patchbay sandbox";
const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "00:00:00Z",
  duration: "P1D",
  email: "sandbox@example.com",
  hostname: "example.com",
  ipv4: "127.0.0.1",
  ipv6: "::1",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/**
 * A JSON value that fits a JSON schema: objects, arrays, strings, numbers, enums, constants, booleans, null, `anyOf`, `oneOf`,
 * `allOf` and `$ref` inside the document. `pattern` is not looked at. Never fails; recursion ends at the first chance.
 */
export function schemaExample(schema: unknown): unknown {
  return example(schema, schema, 0);
}

function example(schema: unknown, root: unknown, depth: number): unknown {
  if (!isFields(schema) || depth > MAXIMUM_DEPTH * 2) return null;
  if (typeof schema["$ref"] === "string") return example(resolve(schema["$ref"], root), root, depth + 1);
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0] ?? null;
  const alternatives = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(alternatives)) return example(chooseAlternative(alternatives, depth), root, depth + 1);
  if (Array.isArray(schema["allOf"])) return example(merge(schema, schema["allOf"], root), root, depth + 1);
  switch (chooseType(schema, depth)) {
    case "object":
      return objectExample(schema, root, depth);
    case "array":
      return arrayExample(schema, root, depth);
    case "string":
      return stringExample(schema);
    case "integer":
      return numberExample(schema, true);
    case "number":
      return numberExample(schema, false);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function chooseType(schema: Fields, depth: number): unknown {
  const type = schema["type"];
  if (!Array.isArray(type)) return type ?? ("properties" in schema ? "object" : "items" in schema ? "array" : "string");
  return depth > MAXIMUM_DEPTH / 2 && type.includes("null") ? "null" : type[0];
}

/** Deep down, the alternative without further structure: that is how recursive schemas end. */
function chooseAlternative(alternatives: readonly unknown[], depth: number): unknown {
  if (depth <= MAXIMUM_DEPTH / 2) return alternatives[0];
  const simple = alternatives.find((one) => isFields(one) && !("$ref" in one) && one["type"] !== "object");
  return simple ?? alternatives[0];
}

function objectExample(schema: Fields, root: unknown, depth: number): Fields {
  const required: unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  const all = !("required" in schema) && depth < MAXIMUM_DEPTH / 2;
  const entries = Object.entries(properties).filter(([name]) => all || required.includes(name));
  return Object.fromEntries(entries.map(([name, property]) => [name, example(property, root, depth + 1)]));
}

function arrayExample(schema: Fields, root: unknown, depth: number): unknown[] {
  const least = integer(schema["minItems"]) ?? 0;
  const most = integer(schema["maxItems"]) ?? 1;
  const length = Math.min(Math.max(least, depth > MAXIMUM_DEPTH / 2 ? 0 : Math.min(1, most)), 100);
  const prefix: unknown[] = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
  return Array.from({ length: Math.max(length, prefix.length) }, (_, index) =>
    example(prefix[index] ?? schema["items"] ?? { type: "string" }, root, depth + 1),
  );
}

function stringExample(schema: Fields): string {
  const format = schema["format"];
  const text = (typeof format === "string" ? FORMATS[format] : undefined) ?? EXAMPLE_TEXT;
  const least = Math.min(integer(schema["minLength"]) ?? 0, 100_000);
  const most = integer(schema["maxLength"]) ?? Number.POSITIVE_INFINITY;
  return text.padEnd(least, ".").slice(0, most);
}

function numberExample(schema: Fields, whole: boolean): number {
  const step = number(schema["multipleOf"]) ?? (whole ? 1 : 0);
  const above = number(schema["exclusiveMinimum"]);
  const below = number(schema["exclusiveMaximum"]);
  const least = above === undefined ? number(schema["minimum"]) : above + (step || 0.5);
  const most = below === undefined ? number(schema["maximum"]) : below - (step || 0.5);
  const wanted = Math.min(Math.max(1, least ?? 1), Math.max(most ?? 1, least ?? Number.NEGATIVE_INFINITY));
  if (step <= 0) return wanted;
  const rounded = Math.ceil(wanted / step) * step;
  return most !== undefined && rounded > most ? Math.floor(most / step) * step : rounded;
}

function merge(schema: Fields, parts: readonly unknown[], root: unknown): Fields {
  const merged: Record<string, unknown> = { ...schema };
  delete merged["allOf"];
  for (const part of parts) {
    const fields = isFields(part) && typeof part["$ref"] === "string" ? resolve(part["$ref"], root) : part;
    if (!isFields(fields)) continue;
    for (const [name, value] of Object.entries(fields)) {
      const present = merged[name];
      if (isFields(present) && isFields(value)) merged[name] = { ...present, ...value };
      else if (Array.isArray(present) && Array.isArray(value))
        merged[name] = [...(present as unknown[]), ...(value as unknown[])];
      else merged[name] = value;
    }
  }
  return merged;
}

function resolve(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return undefined;
  let found: unknown = root;
  for (const step of reference.slice(1).split("/").filter(Boolean)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    found = isFields(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}

function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
