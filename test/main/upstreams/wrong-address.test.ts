import { describe, expect, test } from 'vitest'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { answer, type Behaviour, startRawServer } from '../../harness/raw-server.ts'

const chat = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] }
const reply = JSON.stringify({
  ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi' } }],
})
const notFound = answer(JSON.stringify({ detail: 'Not Found' }), { status: 404 })

/** Answers at these paths alone, as a real server does. */
function serving(paths: Readonly<Record<string, string>>, otherwise = notFound): Behaviour {
  return (socket, { path }) => socket.write(path in paths ? answer(paths[path] ?? '') : otherwise)
}

const models = JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] })
const server = { '/v1/chat/completions': reply, '/v1/models': models }

describe('an address that is wrong', () => {
  test.for([
    ['has the path of a call', '/v1/chat/completions', '/v1/chat/completions/chat/completions', notFound],
    ['has no /v1', '', '/chat/completions', notFound],
    [
      'has another path, and a query with a secret',
      '/api?key=secret-word',
      '/api/chat/completions',
      notFound,
    ],
    ['where nothing is said', '', '/chat/completions', answer('', { status: 404 })],
    ['where a method is not allowed', '', '/chat/completions', answer('', { status: 405 })],
    ['where a page says so', '', '/chat/completions', answer('<html>404</html>', { status: 404 })],
  ] as const)(
    '%s: 502 for callers, and a warning with the URL and the setting',
    async ([, base, url, says]) => {
      await using upstream = await startRawServer(serving(server, says))
      await using gateway = await startGatewayAt(upstream.origin, { baseUrl: upstream.origin + base })
      const heard = await ask(gateway, '/v1/chat/completions', chat)
      expect(heard.status).toBe(502)
      expect(heard.headers.get('x-should-retry')).toBe('false')
      expect(heard.values).toMatchObject([
        { error: { type: 'server_error', code: 'upstream_path_not_found' } },
      ])
      expect(heard.text).not.toContain('127.0.0.1')
      const warning = gateway
        .logged()
        .split('\n')
        .find((line) => line.includes('"event":"path_missing"'))
      expect(JSON.parse(warning ?? '{}')).toMatchObject({
        level: 40,
        provider: 'up',
        url: upstream.origin + url,
        operatorNote: 'providers.up.baseUrl is the part before /chat/completions, and usually ends in /v1.',
      })
      expect(gateway.logged()).not.toContain('secret-word')
    },
  )

  test('is reported once, and once more when calls are answered there', async () => {
    let isThere = false
    await using upstream = await startRawServer((socket) => socket.write(isThere ? answer(reply) : notFound))
    await using gateway = await startGatewayAt(upstream.origin)
    await ask(gateway, '/v1/chat/completions', chat)
    await ask(gateway, '/v1/chat/completions', chat)
    isThere = true
    expect(await ask(gateway, '/v1/chat/completions', chat)).toMatchObject({ status: 200 })
    const events = gateway.logged().match(/"event":"path_[a-z]+"/g)
    expect(events).toEqual(['"event":"path_missing"', '"event":"path_found"'])
  })

  test('says nothing of the address to a caller who looks the call up', async () => {
    await using upstream = await startRawServer(serving({}))
    await using gateway = await startGatewayAt(upstream.origin)
    await ask(gateway, '/v1/chat/completions', chat)
    const { id } = await gateway.recorded()
    const found = await fetch(`${gateway.url}/v1/generation?id=${id}`)
    const text = await found.text()
    expect(text).toContain('"outcome":"path_not_found"')
    expect(text).not.toContain('127.0.0.1')
  })
})

describe('a server without one ability', () => {
  const input = { model: 'm', input: 'x' }

  test('lacks that, and its address is right: its models are there', async () => {
    await using upstream = await startRawServer(serving(server))
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/embeddings', input)
    expect(heard.status).toBe(400)
    expect(heard.values).toMatchObject([
      { error: { message: 'This upstream has no embeddings.', code: 'unsupported_endpoint' } },
    ])
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/embeddings', '/v1/models'])
  })

  test('need not be asked for its models where it has answered calls', async () => {
    await using upstream = await startRawServer(serving({ '/v1/chat/completions': reply }))
    await using gateway = await startGatewayAt(upstream.origin)
    await ask(gateway, '/v1/chat/completions', chat)
    expect(await ask(gateway, '/v1/embeddings', input)).toMatchObject({ status: 400 })
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/embeddings'])
  })

  test('may lack chats', async () => {
    await using upstream = await startRawServer(serving({ '/v1/models': models }))
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/chat/completions', chat)
    expect(heard.values).toMatchObject([{ error: { message: 'This upstream has no chat completions.' } }])
  })

  test('still has its models: a missing one is a missing model', async () => {
    const noModel = answer(JSON.stringify({ error: { message: 'The model `m` does not exist.' } }), {
      status: 404,
    })
    await using upstream = await startRawServer(serving({}, noModel))
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/chat/completions', chat)
    expect(heard.values).toMatchObject([{ error: { code: 'model_not_found' } }])
    expect(upstream.requests).toHaveLength(1)
  })
})
