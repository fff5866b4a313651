import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { orSayWhatIsMissing } from './python.ts';
import { auditRows } from './quality/audits.ts';
import { consensusRows } from './quality/consensus.ts';
import { formulaRows, gapRows } from './quality/formulas.ts';
import { publishedRows } from './quality/published.ts';
import { updateRows } from './quality/updates.ts';
import { type Row, table } from './scale/table.ts';

/**
 * What the figures of quality cost, and whether they are right: beside scikit-learn and statsmodels, which Debian has as
 * python3-sklearn and python3-statsmodels, and the packages krippendorff and irrCAC of PyPI if they are there. PYTHON
 * names the interpreter that has them.
 *
 * `npm run bench:quality` writes bench/results/quality.md.
 */
const RESULTS = join('bench', 'results');

async function main(): Promise<void> {
  const tell = (what: string) => process.stderr.write(`${what} …\n`);
  const [loadBefore = 0] = loadavg();
  const rows: Row[] = [];
  rows.push(...publishedRows(tell));
  rows.push(...(await formulaRows(tell)));
  rows.push(...(await gapRows(tell)));
  rows.push(...(await updateRows(tell)));
  rows.push(...consensusRows(tell));
  rows.push(...(await auditRows(tell)));
  const page = `# Concord's figures of quality

Written by \`npm run bench:quality\`: ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, load ${loadBefore.toFixed(1)} before it
began and ${loadavg()[0]?.toFixed(1)} at its end. All of it in one thread, without a server; times are processor time.

${table(rows)}
`;
  process.stdout.write(page);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'quality.md'), page);
}

await orSayWhatIsMissing(main);
