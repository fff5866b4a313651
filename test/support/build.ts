import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Builds what the end-to-end tests run, once, before the first of them. */
export default function build(): void {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}
