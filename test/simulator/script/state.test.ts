import { expect, test } from 'vitest'
import type { ScriptRequest } from '../../../src/simulator/script/script.ts'
import { createSimulatorState, type SimulatorState } from '../../../src/simulator/script/state.ts'

test('a flaky model fails as often as its name says, answers, and starts over', () => {
  const state = createSimulatorState()
  const played = Array.from({ length: 6 }, () => outcome(state, 'sim-flaky-2', hello))
  expect(played).toEqual(['refuse', 'refuse', 'finish', 'refuse', 'refuse', 'finish'])
})

test('requests are counted apart by model, kind and prompt', () => {
  const state = createSimulatorState()
  expect(outcome(state, 'sim-flaky-1', hello)).toBe('refuse')
  expect(outcome(state, 'sim-flaky-1-echo', hello)).toBe('refuse')
  expect(outcome(state, 'sim-flaky-1', { ...hello, kind: 'chat' })).toBe('refuse')
  expect(outcome(state, 'sim-flaky-1', { ...hello, prompt: 'goodbye' })).toBe('refuse')
  expect(outcome(state, 'sim-flaky-1', hello)).toBe('finish')
})

test('two states know nothing of each other', () => {
  expect(outcome(createSimulatorState(), 'sim-flaky-1', hello)).toBe('refuse')
  expect(outcome(createSimulatorState(), 'sim-flaky-1', hello)).toBe('refuse')
})

test('the oldest of very many failed requests is forgotten, the youngest are not', () => {
  const state = createSimulatorState()
  for (let at = 0; at <= 10_000; at++) outcome(state, 'sim-flaky-1', { ...hello, prompt: `${at}` })
  expect(outcome(state, 'sim-flaky-1', { ...hello, prompt: '1' })).toBe('finish')
  expect(outcome(state, 'sim-flaky-1', { ...hello, prompt: '10000' })).toBe('finish')
  expect(outcome(state, 'sim-flaky-1', { ...hello, prompt: '0' })).toBe('refuse')
})

test('a name that is wrong is told so', () => {
  expect(outcome(createSimulatorState(), 'sim-flaky-x', hello)).toBe('refuse')
})

const hello: ScriptRequest = { kind: 'text', prompt: 'hello' }

function outcome(state: SimulatorState, model: string, request: ScriptRequest): string | undefined {
  return state.scriptFor(model, request).at(-1)?.type
}
