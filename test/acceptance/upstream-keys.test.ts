import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { type PandotateStack, startAlone, startBefore, startStack } from './stack.ts'

let stack: PandotateStack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack[Symbol.asyncDispose]())

describe('a key that Pandotate refuses', () => {
  test('is the operator’s to mend when it is the gateway’s: the log names the setting', async () => {
    const answer = await ask(stack, '/v1/completions', { model: 'sim-status-401' })
    expect(answer).toMatchObject({ status: 502, body: { error: { code: 'upstream_auth_error' } } })
    const { failure, attempts } = await answer.line()
    expect(failure?.operatorNote).toContain('PANDOTATE_API_KEY')
    expect(attempts).toHaveLength(1)
  })

  test('is the caller’s when it is theirs', async () => {
    const environment = { PANDOTATE_API_KEY: '' }
    await using open = await startBefore(stack.pandotateUrl, { environment })
    const bearer = { authorization: 'Bearer pk_of_a_caller' }
    const answer = await ask(open, '/v1/completions', { model: 'sim-status-401' }, bearer)
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'invalid_api_key' } } })
    const { failure } = await answer.line()
    expect(failure?.operatorNote).toBeUndefined()
  })
})

describe.concurrent('the key that goes upstream', () => {
  test.for([
    ['is the gateway’s when it has one, never the caller’s', 'pk_ours', 'pk_theirs', 'Bearer pk_ours'],
    ['is the caller’s when the gateway has none', '', 'pk_theirs', 'Bearer pk_theirs'],
    ['is none when the caller’s is not for Pandotate', '', 'sk-theirs', undefined],
  ] as const)('%s', async ([, ours, theirs, sent]) => {
    await using upstream = await startHeldUpstream((response) => {
      response.setHeader('content-type', 'application/json').end('{"model":"m","output":"yes"}')
    })
    await using near = await startBefore(upstream.url, { environment: { PANDOTATE_API_KEY: ours } })
    const answer = await ask(near, '/v1/completions', {}, { authorization: `Bearer ${theirs}` })
    expect(answer.status).toBe(200)
    expect(upstream.requests.map(({ authorization }) => authorization)).toEqual([sent])
  })

  test('is never a key of this gateway’s own', async () => {
    const key = 'pk_key_of_this_gateway'
    await using upstream = await startHeldUpstream((response) => {
      response.setHeader('content-type', 'application/json').end('{"model":"m","output":"yes"}')
    })
    const options = { environment: { PANDOTATE_API_KEY: '' }, file: `auth: { keys: ['${key}'] }` }
    await using guarded = await startBefore(upstream.url, options)
    const answer = await ask(guarded, '/v1/completions', {}, { authorization: `Bearer ${key}` })
    expect(answer.status).toBe(200)
    expect(upstream.requests.map(({ authorization }) => authorization)).toEqual([undefined])
  })

  test('has to be one for Pandotate itself: without any, nobody is asked', async () => {
    await using keyless = await startAlone({ file: 'providers: { pandotate: {} }' })
    const answer = await ask(keyless, '/v1/completions', {})
    expect(answer.status).toBe(401)
    expect(answer.headers.get('x-pandotate-attempts')).toBe('0')
  })
})
