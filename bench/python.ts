import { spawn } from 'node:child_process';

/** Debian's, which has scikit-learn and the like as packages; PYTHON names another one. */
export const PYTHON = process.env['PYTHON'] ?? '/usr/bin/python3';

/** With this a script says that it lacks a library, which it has named on standard error. */
const LACKS_LIBRARY = 3;

/** What is to be done before a yardstick can be had, in one line. */
export class PythonProblem extends Error {
  override name = 'PythonProblem';
}

/**
 * What a script of Python's writes, given a text.
 * @throws {PythonProblem} there is no such Python, or it lacks a library
 * @throws {Error} the script has failed
 */
export function runPython(script: string, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    // It may have ended without reading.
    child.stdin.on('error', () => undefined);
    child.once('error', ({ message }) =>
      reject(new PythonProblem(`there is no Python at ${PYTHON} (${message}); PYTHON names another one`)),
    );
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else if (code === LACKS_LIBRARY)
        reject(new PythonProblem(`${PYTHON} ${errors.trim()}; PYTHON names another one`));
      else reject(new Error(`${PYTHON} ${script} ended with ${code}:\n${errors}`));
    });
    child.stdin.end(input);
  });
}

/** Runs a bench; what Python lacks is said in one line. */
export async function orSayWhatIsMissing(bench: () => Promise<void>): Promise<void> {
  try {
    await bench();
  } catch (error) {
    if (!(error instanceof PythonProblem)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
