import { type Reply, type Script, scriptOf } from './connection.ts'
import { reserveStep } from './money-scripts.ts'
import { admitStep, ratePrelude } from './rate-scripts.ts'
import { listOf } from './replies.ts'

/** Steps that calls wait for. Those of one turn of the event loop are executed by one command, one after another. */
export interface Steps {
  run(name: StepName, args: readonly (string | number)[]): Promise<Reply>
}

type StepName = 'admit' | 'reserve'

export function createSteps(
  act: (script: Script, args: readonly (string | number)[]) => Promise<Reply>,
): Steps {
  const waiting: Waiting[] = []
  let isDue = false
  const send = async (steps: readonly Waiting[]) => {
    const args: (string | number)[] = []
    for (const { name, args: own } of steps) args.push(name, own.length, ...own)
    try {
      const replies = listOf(await act(stepsScript, args))
      for (const [at, { resolve }] of steps.entries()) resolve(replies[at] ?? null)
    } catch (thrown) {
      for (const { reject } of steps) reject(thrown)
    }
  }
  const flush = () => {
    isDue = false
    while (waiting.length > 0) void send(waiting.splice(0, mostSteps))
  }
  return {
    run(name, args) {
      const { promise, resolve, reject } = Promise.withResolvers<Reply>()
      waiting.push({ name, args, resolve, reject })
      if (!isDue) setImmediate(flush)
      isDue = true
      return promise
    },
  }
}

type Waiting = {
  readonly name: StepName
  readonly args: readonly (string | number)[]
  readonly resolve: (reply: Reply) => void
  readonly reject: (reason: unknown) => void
}

/** A script blocks all others while it runs. */
const mostSteps = 64

/** ARGV: process, generation, then for each step: its name, how many arguments, its arguments. */
const stepsScript = scriptOf(
  'steps',
  `${ratePrelude}${reserveStep}${admitStep}
local fenced = fence()
if fenced then return fenced end
local steps = { admit = admit, reserve = reserve }
local results, at = {}, 3
while at <= #ARGV do
  local A = {}
  for i = 1, num(ARGV[at + 1]) do A[i] = ARGV[at + 1 + i] end
  results[#results + 1] = steps[ARGV[at]](A)
  at = at + 2 + #A
end
return results`,
)
