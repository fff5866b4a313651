import { writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../src/graphql/schema.ts';

/** Writes the API's schema to the file given: `node dist/scripts/print-schema.js schema/schema.graphql`. */
const [, , file = 'schema/schema.graphql'] = process.argv;
await writeFile(file, `${printSchema(lexicographicSortSchema(schema))}\n`);
