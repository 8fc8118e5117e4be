/** Whether these bytes stand at a position, before an end. */
export function startsAt(bytes: Uint8Array, position: number, end: number, wanted: Uint8Array): boolean {
  if (position + wanted.length > end) return false;
  for (let index = 0; index < wanted.length; index += 1) if (bytes[position + index] !== wanted[index]) return false;
  return true;
}
