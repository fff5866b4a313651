import type { AnnotatedSample, Annotation, Ruling } from '../client/generated/types.ts';

/** An answer as it is exported. */
export interface AnnotationRecord extends Omit<Annotation, 'member'> {
  /** The opaque id of who gave it. */
  readonly annotator: string;
  /** What they are called, where names were asked for and there is one. */
  readonly name?: string | undefined;
}

/** A ruling as it is exported. */
export interface RulingRecord extends Omit<Ruling, 'by'> {
  /** The opaque id of who ruled. */
  readonly by: string;
}

/** A sample with its answers as it is exported: a line of NDJSON. */
export interface SampleRecord
  extends Omit<AnnotatedSample, '__typename' | 'id' | 'gold' | 'ruling' | 'annotations'> {
  /** Null: it is not gold. */
  readonly gold: string | null;
  /** Null: nobody has ruled. */
  readonly ruling: RulingRecord | null;
  readonly annotations: readonly AnnotationRecord[];
}

/** Names of people by their ids; who is missing there goes by the id alone. */
export type Names = ReadonlyMap<string, string>;

/** A record with what people are called beside their ids. */
export function named(record: SampleRecord, names: Names): SampleRecord {
  const annotations = record.annotations.map(({ id, annotator, ...rest }): AnnotationRecord => {
    const name = names.get(annotator);
    return { id, annotator, ...(name !== undefined && { name }), ...rest };
  });
  return { ...record, annotations };
}
