import { describe, expect, test } from 'vitest'
import { knownModels } from '../../../src/simulator/script/behaviours.ts'
import {
  type Script,
  type ScriptRequest,
  type Step,
  scriptFor,
} from '../../../src/simulator/script/script.ts'

const asked: ScriptRequest = { kind: 'chat', prompt: 'one two  three\nfour' }
const tool = { name: 'weather', parameters: { properties: { city: { type: 'string' } } } }

describe('what a name makes happen', () => {
  const cases: [string, string][] = [
    ['sim-echo', 'one| two|  three|\nfour|[stop]'],
    ['sim-long-3', 'river| stone| lantern|[stop]'],
    ['sim-long-0', '[stop]'],
    ['sim-slow-200-echo', '<wait 200>|one| two|  three|\nfour|[stop]'],
    ['sim-echo-slow-200', '<wait 200>|one| two|  three|\nfour|[stop]'],
    ['sim-slow-0-long-1', 'river|[stop]'],
    ['sim-drip-5-echo', 'one|<wait 5>| two|<wait 5>|  three|<wait 5>|\nfour|[stop]'],
    ['sim-status-418', '<refuse 418>'],
    ['sim-slow-9-status-500', '<wait 9>|<refuse 500>'],
    ['sim-ratelimit-7', '<refuse 429 after 7 s>'],
    ['sim-flaky-1', '<refuse 503>'],
    ['sim-cut-2-echo', 'one| two|<cut>|  three|\nfour|[stop]'],
    ['sim-cut-0-long-1', '<cut>|river|[stop]'],
    ['sim-cut-99-long-1', 'river|<cut>|[stop]'],
    ['sim-cut-1-long-0', '<cut>|[stop]'],
    ['sim-stall-0-long-1', '<stall>|river|[stop]'],
    ['sim-stall-1-long-2', 'river|<stall>| stone|[stop]'],
    ['sim-drip-5-cut-1-long-2', 'river|<cut>|<wait 5>| stone|[stop]'],
    ['sim-reset', '<reset>'],
    ['sim-badjson', '<garble application/json>'],
    ['sim-html', '<garble text/html; charset=utf-8>'],
    ['sim-empty', '<garble application/json>'],
    ['sim-foo', '<refuse 404>'],
    ['sim-status-500-reset', '<refuse 500>'],
    ['sim-reset-status-500', '<refuse 500>'],
  ]
  test.for(cases)('%s', ([model, played]) => {
    expect(shown(scriptFor(model, asked))).toBe(played)
  })
})

describe('an answer', () => {
  test('of any other name says it is simulated, by whom it was asked to answer, and what', () => {
    const text = textOf(scriptFor('mistral-7b', asked))
    expect(text).toContain('simulator')
    expect(text).toContain('mistral-7b')
    expect(text).toContain('"one two three four"')
    expect(text.split(/\s+/).length).toBeGreaterThan(24)
  })

  test('repeats the start of a long prompt, not the whole', () => {
    const text = textOf(scriptFor('mistral-7b', { kind: 'text', prompt: '😀'.repeat(10_000) }))
    expect(text).toContain(`"${'😀'.repeat(80)}..."`)
  })

  test('is the same every time, for every behaviour', () => {
    const request = { ...asked, tool }
    for (const model of knownModels) expect(scriptFor(model, request)).toEqual(scriptFor(model, request))
  })

  test('may be as long as the longest prompt', () => {
    const prompt = 'word '.repeat(1_000_000)
    expect(finishOf(scriptFor('sim-echo', { ...asked, prompt })).counts.completionTokens).toBe(1_000_000)
  })

  const bounded: [string, Partial<ScriptRequest>, string][] = [
    ['max_tokens below its length', { maxTokens: 2 }, 'one| two|[length]'],
    ['max_tokens of its length', { maxTokens: 4 }, 'one| two|  three|\nfour|[stop]'],
    ['max_tokens 0', { maxTokens: 0 }, '[length]'],
    ['a stop string', { stop: ['three'] }, 'one| two  |[stop]'],
    ['the earliest of several stop strings', { stop: ['four', ' two', 'absent', ''] }, 'one|[stop]'],
    ['a stop string before max_tokens', { stop: [' two'], maxTokens: 1 }, 'one|[stop]'],
    ['max_tokens before a stop string', { stop: ['four'], maxTokens: 1 }, 'one|[length]'],
  ]
  test.for(bounded)('ends by %s', ([, bounds, played]) => {
    expect(shown(scriptFor('sim-echo', { ...asked, ...bounds }))).toBe(played)
  })

  test.for([
    [undefined, 16],
    [5, 5],
    [0, 0],
    [1_000_000_000, 100_000],
  ] as const)('of sim-length with max_tokens %s has %s words and ends by length', ([maxTokens, words]) => {
    const script = scriptFor('sim-length', { ...asked, maxTokens })
    expect(script.filter(({ type }) => type === 'text')).toHaveLength(words)
    expect(finishOf(script).reason).toBe('length')
  })

  test('counts a word as a token', () => {
    const counts = { promptTokens: 4, completionTokens: 3, totalTokens: 7 }
    expect(finishOf(scriptFor('sim-long-3', asked))).toMatchObject({ counts, reported: counts, extra: {} })
    const counted = scriptFor('sim-long-3', { ...asked, promptTokens: 40 })
    expect(finishOf(counted).counts.totalTokens).toBe(43)
  })

  test('of sim-nousage keeps its counts to itself', () => {
    expect(finishOf(scriptFor('sim-nousage-long-3', asked))).toMatchObject({
      reported: undefined,
      counts: { promptTokens: 4, completionTokens: 3 },
    })
  })

  test('of sim-usage-weird tells counts that cannot be', () => {
    const { reported, counts } = finishOf(scriptFor('sim-usage-weird-long-3', asked))
    expect(reported?.promptTokens).toBeLessThan(0)
    expect(reported?.completionTokens).toBeGreaterThan(Number.MAX_SAFE_INTEGER)
    expect(reported?.totalTokens).toBeNaN()
    expect(counts.totalTokens).toBe(7)
  })

  test('of sim-extra has keys beyond the schema', () => {
    expect(finishOf(scriptFor('sim-extra', asked)).extra).toEqual({ region: 'eu-sim-1', queue_ms: 12 })
  })
})

describe('thinking aloud', () => {
  test('comes before the answer of a chat, and counts', () => {
    const script = scriptFor('sim-reasoning-echo', asked)
    const types = script.map(({ type }) => type)
    expect(types.lastIndexOf('reasoning')).toBe(types.indexOf('text') - 1)
    expect(textOf(script)).toBe(asked.prompt)
    expect(finishOf(script).counts.completionTokens).toBe(script.length - 1)
  })

  test('uses up max_tokens first', () => {
    const script = scriptFor('sim-reasoning-echo', { ...asked, maxTokens: 2 })
    expect(script.map(({ type }) => type)).toEqual(['reasoning', 'reasoning', 'finish'])
  })

  test('does not happen in a text completion', () => {
    expect(shown(scriptFor('sim-reasoning-long-1', { kind: 'text', prompt: '' }))).toBe('river|[stop]')
  })
})

describe('a tool call', () => {
  test('comes in fragments that join to arguments of the asked shape', () => {
    const script = scriptFor('sim-tools', { ...asked, tool })
    const fragments = script.filter((step) => step.type === 'tool')
    expect(fragments[0]).toEqual({
      type: 'tool',
      opens: { id: 'call_simulated', name: 'weather' },
      fragment: '',
    })
    expect(fragments.length).toBeGreaterThan(2)
    expect(fragments.slice(1).every(({ opens }) => opens === undefined)).toBe(true)
    expect(JSON.parse(fragments.map(({ fragment }) => fragment).join(''))).toEqual({ city: 'x' })
    expect(finishOf(script).reason).toBe('tool_calls')
  })

  test('that max_tokens breaks off ends by length', () => {
    expect(finishOf(scriptFor('sim-tools', { ...asked, tool, maxTokens: 2 })).reason).toBe('length')
  })

  test.for([
    ['no tool is given', { ...asked }],
    ['it is a text completion', { ...asked, tool, kind: 'text' }],
  ] as const)('gives way to words when %s', ([, request]) => {
    const script = scriptFor('sim-tools', request)
    expect(textOf(script)).toContain('simulator')
    expect(finishOf(script).reason).toBe('stop')
  })
})

describe('failures', () => {
  test('of sim-flaky end after as many as its name says', () => {
    const outcomes = [0, 1, 2, 3].map((failures) => scriptFor('sim-flaky-2', { ...asked, failures }))
    expect(outcomes.map((script) => script.at(-1)?.type)).toEqual(['refuse', 'refuse', 'finish', 'finish'])
  })

  test('are followed by what else the name spells', () => {
    expect(shown(scriptFor('sim-flaky-1-status-400', { ...asked, failures: 1 }))).toBe('<refuse 400>')
  })

  test.for([
    [401, 'invalid_request_error', 'invalid_api_key', null],
    [404, 'invalid_request_error', 'model_not_found', 'model'],
    [422, 'invalid_request_error', null, null],
    [429, 'requests', 'rate_limit_exceeded', null],
    [500, 'server_error', null, null],
  ] as const)('of status %s are shaped as OpenAI shapes them', ([status, type, code, param]) => {
    const message = `Simulated status ${status}.`
    expect(scriptFor(`sim-status-${status}`, asked)).toEqual([
      { type: 'refuse', status, error: { message, type, code, param } },
    ])
  })

  test('of an unknown name name the known ones', () => {
    const [refusal] = scriptFor('sim-foo', asked)
    expect(refusal).toMatchObject({ status: 404, error: { code: 'model_not_found' } })
    expect(refusal?.type === 'refuse' && refusal.error.message).toContain('ratelimit-S')
  })
})

/** A script on one line: steps divided by bars, what is no text in brackets. */
function shown(script: Script): string {
  return script.map(shownStep).join('|')
}

function shownStep(step: Step): string {
  switch (step.type) {
    case 'text':
    case 'reasoning':
      return step.text
    case 'tool':
      return step.fragment
    case 'finish':
      return `[${step.reason}]`
    case 'wait':
      return `<wait ${step.ms}>`
    case 'refuse':
      return `<refuse ${step.status}${step.retryAfterSeconds === undefined ? '' : ` after ${step.retryAfterSeconds} s`}>`
    case 'garble':
      return `<garble ${step.contentType}>`
    default:
      return `<${step.type}>`
  }
}

function textOf(script: Script): string {
  return script.map((step) => (step.type === 'text' ? step.text : '')).join('')
}

function finishOf(script: Script) {
  const finish = script.at(-1)
  if (finish?.type !== 'finish') throw new Error('The script has no end.')
  return finish
}
