import type { NumberArray } from '../domain/columns.ts';
import type { Project } from '../domain/project.ts';
import { saveProject } from '../domain/projectState.ts';

/**
 * In what two projections of a project differ: each thing by its name, with the first place at which it does. Empty: in
 * nothing. What snapshots leave out because it follows from the rest, such as agreement, is compared as well.
 */
export function differences(left: Project, right: Project): string[] {
  const [a, b] = [saveProject(left), saveProject(right)];
  const found: string[] = [];
  for (const [name, column] of a.columns) {
    const row = firstDifferentRow(column, b.columns.get(name));
    if (row !== null) found.push(`${name} at ${row}`);
  }
  for (const [name, list] of a.lists) {
    const [mine, others] = [[...list], [...(b.lists.get(name) ?? [])]];
    const row = [...mine.keys(), mine.length].find((i) => !isSame(mine[i], others[i]));
    if (row !== undefined) found.push(`${name} at ${row}`);
  }
  if (!isSame(derived(left), derived(right))) found.push('agreement, deadlines, audits or disagreements');
  return found;
}

function derived(project: Project): unknown {
  if (!project.isCreated) return null;
  const { agreement, runs } = project;
  return {
    deadline: project.nextDeadline(),
    overall: agreement.overall(),
    models: runs.map((run) => [run.audited, run.errors, run.peopleAgainstModel()]),
    disputed: [...project.disputed],
    pairs: agreement.pairs().map(({ a, b }) => [a, b, agreement.cohensKappa(a, b)]),
  };
}

function firstDifferentRow(left: NumberArray, right: NumberArray | undefined): number | null {
  if (right === undefined) return 0;
  if (Buffer.compare(bytesOver(left), bytesOver(right)) === 0) return null;
  const row = left.findIndex((value, i) => !Object.is(value, right[i]));
  return row < 0 ? left.length : row;
}

function bytesOver({ buffer, byteOffset, byteLength }: NumberArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** As stores see it: a key whose value is undefined may come back missing. */
function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) =>
    isSame((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]),
  );
}
