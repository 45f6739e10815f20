import { expect, test } from 'vitest'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { answer, startRawServer } from '../../harness/raw-server.ts'

const messages = [{ role: 'user', content: 'A secret plan that nobody may read' }]

test('what an upstream said with a 5xx is found by its operator, without the text of the request', async () => {
  const said = 'Worker died at 10.0.0.7 over "A secret plan that nobody may read" (key sk-abcdef123456)'
  await using server = await startRawServer((socket) =>
    socket.write(answer(JSON.stringify({ error: { message: said } }), { status: 500 })),
  )
  await using gateway = await startGatewayAt(server.origin)
  const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages })
  expect(heard.status).toBe(502)
  expect(heard.text).not.toContain('Worker died')
  const { id } = await gateway.recorded()
  const told = 'Worker died at [removed] over [request text] (key [removed])'
  const generation = await fetch(`${gateway.url}/v1/generation?id=${id}`)
  expect(await generation.json()).toMatchObject({ data: { attempts: [{ upstream_said: told }] } })
  expect(gateway.logged()).toContain(`"upstreamSaid":${JSON.stringify(told)}`)
  expect(gateway.logged()).not.toContain('secret plan')
})

test('what it said of the request is told to the caller, too', async () => {
  const said =
    'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj'
  await using server = await startRawServer((socket) =>
    socket.write(answer(JSON.stringify({ error: { message: said, code: 500 } }), { status: 500 })),
  )
  await using gateway = await startGatewayAt(server.origin)
  const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages })
  expect(heard.values).toMatchObject([
    { error: { message: `The upstream answered with status 500: ${said}` } },
  ])
})
