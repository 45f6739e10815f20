import { withoutSecrets } from './secret-forms.ts'

/**
 * An upstream's text as a caller may read it: without addresses, keys, stack traces or echoes of the request, on one
 * line, at most 300 characters. `secrets` that are not trivially short are removed everywhere.
 */
export function redact(text: string, secrets: readonly string[] = [], own: RedactOptions = {}): string {
  const { request = '', most = keptCharacters } = own
  let kept = withoutSecrets(text.slice(0, readCharacters), secrets, removed)
  for (const trace of traces) {
    const at = kept.search(trace)
    if (at !== -1) kept = kept.slice(0, at)
  }
  for (const pattern of addresses) {
    kept = kept.replace(pattern, (address) => (isFromRequest(address, request) ? address : removed))
  }
  for (const [pattern, replacement] of patterns) kept = kept.replace(pattern, replacement)
  kept = kept.trim()
  return kept.length > most ? `${kept.slice(0, most - 1)}…` : kept
}

export type RedactOptions = {
  /** The text of the caller's request. Addresses in it are not secret. */
  readonly request?: string
  /** The maximum length of the result. */
  readonly most?: number
}

function isFromRequest(address: string, request: string): boolean {
  const plain = address.replace(/[.,;:!?]+$/, '')
  return plain.length >= secretCharacters && request.includes(plain)
}

/** Longer than any message. Patterns are applied only to this many characters. */
const readCharacters = 4000
const keptCharacters = 300

/** A shorter secret protects nothing, and may be part of any word. */
const secretCharacters = 6

const removed = '[removed]'

/** The start of a stack trace, or of a validator's quote of the request. The rest of the text is removed. */
const traces: readonly RegExp[] = [
  /\n\s+at /,
  /Traceback \(most recent call last\)/,
  /\bFile "[^"]*", line \d/,
  /,? ?'input':/,
  /,? ?input_value=/,
]

const topLevel =
  'ai|app|cloud|co|com|corp|dev|eu|host|internal|intranet|io|lan|local|net|org|run|sh|svc|tech|xyz'

/**
 * Addresses: whole ones, then bare hosts, numeric hosts and file paths. Each pattern is linear: no part can backtrack
 * over another's match.
 */
const addresses: readonly RegExp[] = [
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>)\]}]+/gi,
  new RegExp(
    `(?<![\\w.-])(?:[a-z0-9-]{1,63}\\.){1,8}(?:${topLevel})(?![\\w-])(?::\\d+)?(?:/[^\\s"'<>)]*)?`,
    'gi',
  ),
  /\blocalhost(?::\d+)?(?:\/[^\s"'<>)]*)?/gi,
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)(?::\d+)?(?:\/[^\s"'<>)]*)?/g,
  /\[[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}\](?::\d+)?/gi,
  /(?<![\w/.])\/(?:home|usr|opt|var|root|app|srv|etc|tmp|mnt|data|workspace)\/[^\s"'<>)]*/g,
]

/** These patterns are linear too. */
const patterns: readonly (readonly [RegExp, string])[] = [
  // Keys: by their scheme, by their prefix, and any word of 32 or more letters and digits.
  [/\b(?:Bearer|Api-Key|Basic)\s+[\w.~+/=*-]{6,}/gi, removed],
  [/(?<![\w-])(?:sk|pk|rk|rpa|tgp|hf|gsk|key)[-_][\w.*-]{4,}/gi, removed],
  [/(?<![\w-])eyJ[\w-]{8,}(?:\.[\w-]+){0,2}/g, removed],
  [/(?<![\w-])[A-Za-z0-9]{32,}(?![\w-])/g, removed],
  // Accounts: by their prefix, and anything called an account that has a digit.
  [/(?<![\w-])(?:org|acct|acc|proj|cus|usr|ws|team)[-_](?=[\w-]{0,40}\d)[\w-]{4,40}/gi, removed],
  [
    /\b(account|organi[sz]ation|tenant|project|workspace|team)((?:[ _-]?id)?["'`]?[ :=#]{1,3}["'`]?)(?=[\w-]{0,40}\d)[\w-]{4,40}/gi,
    `$1$2${removed}`,
  ],
  // Control characters, line ends and runs of spaces.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern has to find control characters.
  [/[\s\u0000-\u001f\u007f-\u009f]+/g, ' '],
]
