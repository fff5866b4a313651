/**
 * Why something was erased: the grounds of article 17(1) of the GDPR, Regulation (EU) 2016/679. It is one of a few on
 * purpose: what people write in their own words might tell what was erased.
 */
export type ErasureReason =
  /** It is needed no more for what it was collected for (a). */
  | 'NO_LONGER_NEEDED'
  /** Consent was taken back (b). */
  | 'CONSENT_WITHDRAWN'
  /** The person objects (c). */
  | 'OBJECTION'
  /** It should never have been kept (d). */
  | 'UNLAWFUL'
  /** The law asks for it (e). */
  | 'LEGAL_DUTY';

/** That something was erased: all that is kept of it. */
export interface Erasure {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** The member who did it. */
  readonly by: string;
  readonly reason: ErasureReason;
}
