/**
 * Removes secrets from a text: plain, percent-encoded, in base64, or with the middle masked. Secrets shorter than 6
 * characters are skipped, because they protect nothing and may be part of any word.
 */
export function withoutSecrets(text: string, secrets: readonly string[], removed: string): string {
  let kept = text
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue
    kept = kept.replaceAll(secret, removed)
    kept = kept.replace(masked, (found) => (isMaskOf(found, secret) ? removed : found))
  }
  const guarded = secrets.filter(({ length }) => length >= shortestSecret)
  if (guarded.length === 0) return kept
  const holdsOne = (plain: string) => guarded.some((secret) => plain.includes(secret))
  const bare = kept.replace(base64Word, (word) => (decodings(word).some(holdsOne) ? removed : word))
  return bare.includes('%') ? withoutEncoded(bare, holdsOne, removed) : bare
}

const shortestSecret = 6

const base64Word = /[\w+/-]{8,}={0,2}/g

/**
 * Decodes the word at each of four offsets, because a secret may follow other characters. `Buffer` accepts both base64
 * alphabets.
 */
function decodings(word: string): readonly string[] {
  return [0, 1, 2, 3].map((start) => Buffer.from(word.slice(start), 'base64').toString('latin1'))
}

/** The start and the end of a key, with a mask between them. */
const masked = /[\w-]{0,24}(?:\*{2,}|\.{2,}|…+|•{2,}|x{4,}|X{4,})[\w-]{0,24}/g

function isMaskOf(found: string, secret: string): boolean {
  const [, head = '', tail = ''] = /^(.*?)(?:\*{2,}|\.{2,}|…+|•{2,}|x{4,}|X{4,})(.*)$/.exec(found) ?? []
  return head.length + tail.length >= 4 && secret.startsWith(head) && secret.endsWith(tail)
}

/** A server may escape any character, with hex digits in either case. */
function withoutEncoded(text: string, holdsOne: (plain: string) => boolean, removed: string): string {
  return text.replace(/(?:[\w.~+/=*-]|%[0-9a-f]{2})+/gi, (word) => {
    if (!word.includes('%')) return word
    const plain = word.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    return holdsOne(plain) ? removed : word
  })
}
