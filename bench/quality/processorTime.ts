/** What some work comes to, and its processor time in milliseconds: others on the machine lengthen the clock's more. */
export function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const begun = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(begun);
  return { value, ms: (user + system) / 1_000 };
}
