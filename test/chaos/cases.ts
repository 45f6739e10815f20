import { answerCases } from './cases/answers.ts'
import { callingCases } from './cases/calling.ts'
import { connectingCases } from './cases/connecting.ts'
import { leavingCases } from './cases/leaving.ts'
import { ledgerCases } from './cases/ledger.ts'
import { nodeCases } from './cases/nodes.ts'
import { refusingCases } from './cases/refusing.ts'
import { runningCases } from './cases/running.ts'
import { soakingCases } from './cases/soaking.ts'
import { streamCases } from './cases/streams.ts'
import { waitingCases } from './cases/waiting.ts'
import { workerCases } from './cases/workers.ts'
import type { FaultCase } from './fault-case.ts'

/** All cases of the suite, in the order of the forty faults. */
export const cases: readonly FaultCase[] = [
  ...connectingCases,
  ...answerCases,
  ...waitingCases,
  ...streamCases,
  ...refusingCases,
  ...leavingCases,
  ...callingCases,
  ...runningCases,
  ...ledgerCases,
  ...nodeCases,
  ...workerCases,
  ...soakingCases,
].toSorted((one, other) => one.fault - other.fault)
