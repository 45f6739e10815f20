import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** Serves the page, and hears what it tells. */
export type PageServer = AsyncDisposable & {
  readonly port: number
  /** Resolves when the page says that it is through. */
  readonly over: Promise<void>
}

/** `hear` is given each line that the page tells. */
export async function startPageServer(hear: (line: string) => void): Promise<PageServer> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://page')
    if (request.method === 'POST') {
      const line = await text(request)
      response.writeHead(204).end()
      if (pathname === '/over') end()
      else hear(line)
      return
    }
    const file = await fileAt(pathname)
    if (file === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': file.type }).end(file.text)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    over,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const script = 'text/javascript'

/** The packages as npm has them, and this suite’s own modules without their types. */
async function fileAt(pathname: string): Promise<{ type: string; text: string } | undefined> {
  if (pathname === '/') return { type: 'text/html', text: page }
  const path = join(repository, normalize(pathname))
  try {
    const source = await readFile(path, 'utf8')
    return { type: script, text: extname(path) === '.ts' ? stripTypeScriptTypes(source) : source }
  } catch {
    return undefined
  }
}

/** The bare names that the modules import, which a browser cannot look up by itself. */
const imports = {
  openai: '/node_modules/openai/index.mjs',
  'openai/helpers/zod': '/node_modules/openai/helpers/zod.mjs',
  zod: '/node_modules/zod/index.js',
  'zod/v3': '/node_modules/zod/v3/index.js',
  'zod/v4': '/node_modules/zod/v4/index.js',
}

const page = `<!doctype html>
<title>OpenAI in a browser</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="/test/clients/browser/page.ts"></script>
`
