/**
 * Replaces quotes of the request in an upstream's text, because prompts must not be logged. Every run of 16 or more
 * characters that occurs in the request becomes `[request text]`. Undefined if the request is too long to search.
 */
export function withoutRequest(text: string, request: string): string | undefined {
  if (request.length > mostSearched) return undefined
  if (text.length < runLength) return text
  const quoted = new Uint8Array(text.length)
  const grams = gramsOf(text)
  markQuoted(request, text, grams, quoted)
  // The upstream may quote the JSON, or the unescaped text of its strings.
  if (request.includes('\\')) markQuoted(unescaped(request), text, grams, quoted)
  return replaced(text, quoted)
}

const runLength = 16

/** Searching this many characters takes some tens of milliseconds. */
const mostSearched = 8 * 1024 * 1024

const base = 31
const highest = power(base, runLength)

function power(of: number, exponent: number): number {
  let product = 1
  for (let times = 0; times < exponent; times++) product = Math.imul(product, of)
  return product
}

/** Positions of the text's runs, by hash. */
function gramsOf(text: string): ReadonlyMap<number, readonly number[]> {
  const grams = new Map<number, number[]>()
  eachRun(text, (hash, start) => {
    const known = grams.get(hash)
    if (known === undefined) grams.set(hash, [start])
    else known.push(start)
  })
  return grams
}

/** Visits every run of that length, with a rolling hash (Karp and Rabin 1987). */
function eachRun(text: string, use: (hash: number, start: number) => void): void {
  let hash = 0
  for (let at = 0; at < text.length; at++) {
    hash = (Math.imul(hash, base) + text.charCodeAt(at)) | 0
    if (at >= runLength) hash = (hash - Math.imul(text.charCodeAt(at - runLength), highest)) | 0
    if (at >= runLength - 1) use(hash, at - runLength + 1)
  }
}

function markQuoted(
  request: string,
  text: string,
  grams: ReadonlyMap<number, readonly number[]>,
  quoted: Uint8Array,
): void {
  eachRun(request, (hash, start) => {
    const places = grams.get(hash)
    if (places === undefined) return
    const run = request.slice(start, start + runLength)
    for (const place of places) if (text.startsWith(run, place)) quoted.fill(1, place, place + runLength)
  })
}

function replaced(text: string, quoted: Uint8Array): string {
  let kept = ''
  for (let at = 0; at < text.length; ) {
    const end = quoted.indexOf(quoted[at] === 1 ? 0 : 1, at)
    const next = end === -1 ? text.length : end
    kept += quoted[at] === 1 ? '[request text]' : text.slice(at, next)
    at = next
  }
  return kept
}

function unescaped(json: string): string {
  return json.replace(/\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/g, (escaped) => JSON.parse(`"${escaped}"`) as string)
}
