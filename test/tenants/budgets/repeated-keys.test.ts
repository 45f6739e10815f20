import { expect, test } from 'vitest'
import { startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { configAt, keyWith, rule, secret } from '../stage.ts'

test('an upstream gets no other bound than the one that was held', async () => {
  await using upstream = await startHeldUpstream({ isHeld: false })
  await using gateway = await startTestGateway(
    configAt(upstream.url, { keys: [keyWith({ budgets: [rule(1e12)] })] }),
  )
  const messages = '"messages":[{"role":"user","content":"long and dear","content":"hi"}]'
  for (const bounds of ['"max_tokens":100000,"max_tokens":1', '"max\\u005ftokens":100000,"max_tokens":1']) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: `{"model":"m",${messages},${bounds}}`,
    })
    expect(response.status).toBe(200)
    await response.text()
  }
  expect(upstream.texts).toHaveLength(2)
  for (const text of upstream.texts) expect(text).not.toMatch(/100000|long and dear/)
})
