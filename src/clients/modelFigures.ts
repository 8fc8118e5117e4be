import type { ClientModel } from "./clientModels.ts";
import type { ConfigObject } from "./configValue.ts";

/** For a model whose limits are not known: what nearly every model of today has. */
export const CONTEXT_TOKENS = 128_000;
export const OUTPUT_TOKENS = 16_384;

/** A model's limits and costs in the members that OpenClaw and pi read; what of a cache is not known costs what input does. */
export function modelFigures({ contextTokens, outputTokens, cost }: ClientModel): ConfigObject {
  return {
    contextWindow: contextTokens ?? CONTEXT_TOKENS,
    maxTokens: outputTokens ?? OUTPUT_TOKENS,
    ...(cost === undefined
      ? {}
      : {
          cost: {
            input: cost.input,
            output: cost.output,
            cacheRead: cost.cacheRead ?? cost.input,
            cacheWrite: cost.cacheWrite ?? cost.input,
          },
        }),
  };
}
