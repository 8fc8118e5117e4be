/**
 * Preloaded into a process whose memory is measured (`node --expose-gc --import bench/memoryProbe.ts`): answers each message with
 * what is left after a garbage collection.
 */
process.on("message", () => {
  globalThis.gc?.();
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
process.channel?.unref();
