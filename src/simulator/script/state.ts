import { hash } from 'node:crypto'
import { parseName } from './behaviours.ts'
import { type Script, type ScriptRequest, scriptFor } from './script.ts'

/**
 * The state of one simulated upstream: the number of failures of each request to a flaky model. A request is identified
 * by model, kind and prompt, and removed when it is answered.
 */
export interface SimulatorState {
  scriptFor(model: string, request: Omit<ScriptRequest, 'failures'>): Script
}

/** `slowMs` delays every answer, in addition to the model's behaviour. */
export function createSimulatorState(slowMs = 0): SimulatorState {
  const memory = createMemory()
  if (slowMs === 0) return memory
  return {
    scriptFor: (model, request) => [{ type: 'wait', ms: slowMs }, ...memory.scriptFor(model, request)],
  }
}

function createMemory(): SimulatorState {
  const failures = new Map<string, number>()
  return {
    scriptFor(model, request) {
      const wanted = parseName(model).traits?.get('flaky') ?? 0
      if (wanted === 0) return scriptFor(model, request)
      const fingerprint = hash('sha256', JSON.stringify([model, request.kind, request.prompt]))
      const seen = failures.get(fingerprint) ?? 0
      failures.delete(fingerprint)
      if (seen < wanted) remember(failures, fingerprint, seen + 1)
      return scriptFor(model, { ...request, failures: seen })
    },
  }
}

/** More requests than a demonstration runs at once. The oldest are removed. */
const mostRemembered = 10_000

function remember(failures: Map<string, number>, fingerprint: string, count: number): void {
  failures.set(fingerprint, count)
  if (failures.size <= mostRemembered) return
  const [oldest] = failures.keys()
  if (oldest !== undefined) failures.delete(oldest)
}
