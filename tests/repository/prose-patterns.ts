/** A habit that makes a sentence hard to read, and how to write it instead. Each regular expression is global. */
export interface ProsePattern {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** For every text: messages, help, descriptions, documents, comments. */
export const PATTERNS: readonly ProsePattern[] = [
  { pattern: /\b(?:stands|stood)\b(?! (?:by|for)\b)/g, instead: 'is, appears, belongs to' },
  { pattern: /\b(?:whoever|whomever|whosoever)\b/gi, instead: 'name the subject' },
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|fewer\b|\w+er than\b)/gi,
    instead: 'is not a, does not',
  },
  { pattern: /\bthere (?:is|are) no \w+ (?:that|which|who)\b/gi, instead: 'no X does Y' },
  { pattern: /\b(?:nobody|none of whom)\b/gi, instead: 'use "not" and name the subject' },
  { pattern: /\b(?:is|are|was) none\b/gi, instead: 'does not exist, is not a' },
  { pattern: /\banew\b/gi, instead: 'again' },
  { pattern: /\b(?:shall|ought)\b/gi, instead: 'must, should, will' },
  { pattern: /\bbeside\b/gi, instead: 'next to, besides' },
  { pattern: /\bat once\b/gi, instead: 'immediately, together' },
  { pattern: /\bin between\b/gi, instead: 'between, meanwhile' },
  { pattern: /\bby (?:itself|themselves)\b/gi, instead: 'separately, on its own, automatically' },
  { pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: 'fix, repair' },
  { pattern: /\b(?:tells?|told|telling)\b/gi, instead: 'shows, reports, describes, distinguishes' },
  { pattern: /\b(?:says|said)\b/gi, instead: 'reports, states, shows' },
  { pattern: /\bbrings?\b(?! (?:up|down|back)\b)/gi, instead: 'adds, uploads, contains' },
  { pattern: /\bof (?:which|whose|whom|what)\b/gi, instead: 'start a new sentence' },
  { pattern: /\b(?:that|which|what|it|they|already|not) (?:is|are|was|were) there\b/gi, instead: 'exists' },
  { pattern: /\b(?:is|are|was|were) (?:not |already |still )?there(?=[.,;:)]|$)/gim, instead: 'exists' },
  { pattern: /\bgoes on\b/gi, instead: 'continues' },
  { pattern: /\bthe meantime\b/gi, instead: 'meanwhile' },
  { pattern: /\bunder way\b/gi, instead: 'in flight, running' },
  { pattern: /\bof one's own\b/gi, instead: 'its own' },
  { pattern: /\bwant of\b/gi, instead: 'because X is missing' },
];

/** Only in messages, help, descriptions and documents. */
export const SENTENCE_STARTS: ProsePattern = {
  pattern: /(?:^|[.;] )(?:[Ww]hat|[Ww]ho|Whose|That which|That what) (?!(?:to|if|for)\b)[^.?|]*\.(?=\s|$)/gm,
  instead: 'name the subject first',
};

/** Only for the first word of a comment. */
export const COMMENT_STARTS: ProsePattern = {
  pattern: /^(?:Of|By(?! default)|Those|As(?! (?:in|a|an|long|soon)\b)|So|What|Whether|Whose|That)\b.{0,30}/g,
  instead: 'start with the subject, a verb or a reason',
};
