import { createSecureContext } from 'node:tls'
import type { Finding } from '../report/problem.ts'
import type { TlsPair } from '../settings.ts'

/** Reads the files of `server.tls`. There are findings if they cannot be read or do not match. */
export function readTls(
  paths: { readonly cert: string; readonly key: string } | undefined,
  readFile: (path: string) => string,
): { readonly pair?: TlsPair; readonly findings: readonly Finding[] } {
  if (paths === undefined) return { findings: [] }
  const findings: Finding[] = []
  const read = (name: 'cert' | 'key') => {
    try {
      return readFile(paths[name])
    } catch (thrown) {
      const message = `found ${JSON.stringify(paths[name])}, expected the path of a file that can be read (${codeOf(thrown)})`
      findings.push({ path: ['server', 'tls', name], message })
      return ''
    }
  }
  const pair = { cert: read('cert'), key: read('key') }
  if (findings.length > 0) return { findings }
  try {
    createSecureContext(pair)
    return { pair, findings }
  } catch (thrown) {
    // OpenSSL's error codes contain nothing of the key.
    const message = `cannot be used, expected a certificate and its key as PEM (${codeOf(thrown)})`
    return { findings: [{ path: ['server', 'tls'], message }] }
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'no code'
}
