import { join } from 'node:path';
import { runPython } from '../python.ts';

const SCRIPT = join('bench', 'quality', 'yardstick.py');

/**
 * What Python's libraries make of a question.
 * @throws {PythonProblem} there is no such Python, or it lacks the libraries
 */
export async function askPython<T>(
  question: { readonly what: string } & Readonly<Record<string, unknown>>,
): Promise<T> {
  return JSON.parse(await runPython(SCRIPT, JSON.stringify(question))) as T;
}
