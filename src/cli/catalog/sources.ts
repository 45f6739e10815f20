import { readFile } from 'node:fs/promises'
import { CatalogError } from '../../catalog/catalog.ts'
import { litellmUrl, modelsDevUrl, readSource, type SourceRows } from '../../catalog/sources.ts'

/** The addresses of the two default lists. */
export const usualSources: readonly string[] = [modelsDevUrl, litellmUrl]

/** Reads these files and addresses. Throws CatalogError with the name of one that cannot be read. */
export async function readSources(places: readonly string[]): Promise<readonly SourceRows[]> {
  return await Promise.all(
    places.map(async (place) => {
      try {
        const source = readSource(isAddress(place) ? await fetched(place) : await readFile(place, 'utf8'))
        return isAddress(place) ? { ...source, url: place } : source
      } catch (thrown) {
        throw new CatalogError([`${place}: ${reasonOf(thrown)}`])
      }
    }),
  )
}

function isAddress(place: string): boolean {
  return /^https?:\/\//.test(place)
}

const answerWithinMs = 60_000
const mostBytes = 64 * 1024 * 1024

async function fetched(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) })
  if (!response.ok) throw new RangeError(`answered with ${response.status}`)
  if (Number(response.headers.get('content-length') ?? 0) > mostBytes) throw new RangeError('is too large')
  return await response.text()
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof CatalogError) return thrown.problems.join(' ')
  if (!(thrown instanceof Error)) throw thrown
  const { cause } = thrown
  const code =
    'code' in thrown ? thrown.code : cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? `cannot be read (${code})` : thrown.message
}
