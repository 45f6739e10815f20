import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { openBlackhole } from '../../chaos/places.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'

test.for([
  ['/v1/completions', { prompt: 'x' }],
  ['/v1/embeddings', { input: 'x' }],
] as const)('a deployment has its own time to connect in: %s', async ([path, asked]) => {
  const blackhole = await openBlackhole()
  try {
    // By the provider's own clock it would take an hour.
    const provider = {
      type: 'openai-compatible',
      baseUrl: `${blackhole.origin}/v1`,
      retries: 0,
      clocks: { connectMs: 3_600_000, firstTokenMs: 3_600_000, totalMs: 3_600_000 },
    }
    const file = JSON.stringify({
      providers: { far: provider },
      models: { m: { deployments: [{ provider: 'far', clocks: { connectMs: 50 } }] } },
    })
    const { providers: read, routes } = loadConfig({
      environment: { GATEWAY_CONFIG: 'gateway.yaml' },
      readFile: onlyFile(file),
      providers,
    })
    await using gateway = await startTestGateway({ providers: read, routes, demo: false })
    const response = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', ...asked }),
    })
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_unreachable' } })
    // Nothing was sent: nobody can have charged for it.
    expect(response.headers.get('x-should-retry')).toBeNull()
    expect((await gateway.recorded()).attempts).toMatchObject([
      { outcome: 'unreachable', isUncertain: false },
    ])
  } finally {
    await blackhole.close()
  }
})
