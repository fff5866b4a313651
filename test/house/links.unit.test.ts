import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Links between the pages that people read. */

const FOLDERS = ['.', 'docs', 'sdk', 'bench/results', 'test/crash', 'test/simulation'];
const pages = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file)),
);
const FENCED = /^```[\s\S]*?^```/gm;
const textOf = (page: string) => readFileSync(page, 'utf8').replace(FENCED, '');

/** A heading as links name it. */
const slugOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
const slugsIn = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slugOf(heading ?? ''));

function deadLinksOf(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '');
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', heading] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(target)) return true;
      return heading !== undefined && target.endsWith('.md') && !slugsIn(target).includes(heading);
    });
}

test('there are pages', () => expect(pages.length).toBeGreaterThan(15));

test.each(pages)('every link of %s leads to what is there', (page) => {
  expect(deadLinksOf(page)).toEqual([]);
});
