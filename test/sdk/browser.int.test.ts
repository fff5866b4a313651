import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const SDK = fileURLToPath(new URL('../../sdk/src/', import.meta.url));

it.each([
  ['client', 20_000],
  // It has every operation; pages that people label on do not load it.
  ['driver', 24_000],
  ['annotator', 20_000],
  ['strategy', 20_000],
])(
  '%s is fit for browsers: less than %i bytes when zipped, nothing of Node, and no GraphQL library',
  async (entry, mostBytes) => {
    const { metafile, outputFiles } = await build({
      entryPoints: [`${SDK}${entry}/index.ts`],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      minify: true,
      splitting: true,
      outdir: '/',
      write: false,
      metafile: true,
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((file) => /node_modules\/graphql\//.test(file))).toEqual([]);
    // Of ws there is the stub that it has for browsers, in a chunk that is not loaded where there is a WebSocket.
    const ofWs = inputs.filter((file) => /node_modules\/ws\//.test(file));
    expect(ofWs.filter((file) => !file.endsWith('ws/browser.js'))).toEqual([]);
    const imports = Object.values(metafile.outputs).flatMap((output) =>
      output.imports.map(({ path }) => path),
    );
    expect(imports.filter((path) => path.startsWith('node:') || builtinModules.includes(path))).toEqual([]);
    const bytes = outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
    expect(bytes).toBeLessThan(mostBytes);
  },
);
