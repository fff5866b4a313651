import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The yardsticks are Debian's python3-sklearn and python3-statsmodels; PYTHON names another interpreter. */
const PYTHON = process.env['PYTHON'] ?? '/usr/bin/python3';
const SCRIPT = join('bench', 'quality', 'yardstick.py');

/**
 * What Python's libraries make of a question.
 * @throws {Error} there is no such Python, or it lacks the libraries
 */
export function askPython<T>(
  question: { readonly what: string } & Readonly<Record<string, unknown>>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    let answer = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(answer) as T);
      else reject(new Error(`${PYTHON} ${SCRIPT} ended with ${code}`));
    });
    child.stdin.end(JSON.stringify(question));
  });
}
