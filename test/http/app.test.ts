import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { LightKoa } from '../../src/http/app.ts'

test('what nobody caught is a 500 that says nothing', async () => {
  await using server = await serve(() => {
    throw new Error('the key is sk-secret')
  })
  const answer = await fetch(server.url)
  expect([answer.status, await answer.text()]).toEqual([500, 'Internal Server Error'])
})

test('who answers by themselves is left to it', async () => {
  await using server = await serve((ctx) => {
    ctx.respond = false
    setImmediate(() => ctx.res.writeHead(202).end('mine'))
  })
  const answer = await fetch(server.url)
  expect([answer.status, await answer.text()]).toEqual([202, 'mine'])
})

test('a caller who resets the connection in the middle of an answer harms nobody else', async () => {
  const begun = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  await using server = await serve((ctx) => {
    ctx.respond = false
    if (ctx.path === '/whole') {
      ctx.res.end('whole')
      return
    }
    ctx.res.once('close', closed.resolve)
    ctx.res.write('a part')
    begun.resolve()
  })
  const { port, hostname } = new URL(server.url)
  const caller = connect(Number(port), hostname)
  caller.write('GET /part HTTP/1.1\r\nhost: gateway\r\n\r\n')
  await begun.promise
  caller.resetAndDestroy()
  await closed.promise
  const answer = await fetch(`${server.url}/whole`)
  expect(await answer.text()).toBe('whole')
})

async function serve(middleware: Parameters<LightKoa['use']>[0]) {
  const app = new LightKoa()
  app.silent = true
  app.use(middleware)
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
