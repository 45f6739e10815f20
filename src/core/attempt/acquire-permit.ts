import type { AnyCall } from '../model/call.ts'
import type { Queue } from '../model/ports.ts'
import { type AttemptParts, openAttempt } from './open-attempt.ts'

/** The deployment of an attempt, and the permit for it. */
export type AdmittedAttempt = Pick<AttemptParts<AnyCall>, 'deployment' | 'permit' | 'commitBy'>

/** An attempt that has no deployment yet. */
export type Unplaced<Asked extends AnyCall> = Omit<AttemptParts<Asked>, 'deployment'>

/**
 * Makes an attempt at the deployment that `enter` gives, once that upstream's queue has a place: usually at once, else
 * after a wait that no clock of the attempt counts. A failed wait is a Failure of that attempt, and says nothing about
 * the upstream's health.
 */
export function acquirePermit<Asked extends AnyCall, Made>(
  parts: Unplaced<Asked>,
  enter: () => AdmittedAttempt,
  make: (parts: AttemptParts<Asked>) => Promise<Made>,
): Promise<Made> {
  // No permit or place is taken for a caller that has left: no attempt would return it.
  parts.signal.throwIfAborted()
  const entered = enter()
  const { deployment, permit, commitBy } = entered
  const { queue } = deployment.upstream
  if (queue === undefined || queue.enter())
    return make({ ...parts, deployment, permit, commitBy, place: queue })
  return waitForTurn(parts, entered, enter, make)
}

async function waitForTurn<Asked extends AnyCall, Made>(
  parts: Unplaced<Asked>,
  entered: AdmittedAttempt,
  enter: () => AdmittedAttempt,
  make: (parts: AttemptParts<Asked>) => Promise<Made>,
): Promise<Made> {
  const { clock } = parts.context
  const since = clock.now()
  let next = entered
  let held: Queue | undefined
  while (true) {
    const { queue } = next.deployment.upstream
    const queuedMs = () => clock.now() - since
    if (queue === undefined || queue === held || queue.enter()) {
      if (held !== queue) held?.leave()
      return await make({ ...parts, ...next, place: queue, queuedMs: queuedMs() })
    }
    held?.leave()
    // Return the unused permit: a half-open breaker admits one probe.
    next.permit?.[Symbol.dispose]()
    parts.context.steps?.tell('waits for a slot', { deployment: next.deployment.id })
    await wait(queue, { ...parts, ...next }, (thrown) =>
      openAttempt({ ...parts, deployment: next.deployment, permit: undefined, queuedMs: queuedMs() }).fail(
        thrown,
      ),
    )
    held = queue
    // Its breaker may have opened meanwhile.
    next = enter()
  }
}

/** Waits for a place. `fail` records a failed wait, and returns what to throw. */
async function wait(
  queue: Queue,
  { signal, context, commitBy = context.deadlineAt }: Unplaced<AnyCall>,
  fail: (thrown: unknown) => unknown,
): Promise<void> {
  const { clock, record } = context
  try {
    await queue.wait(signal, commitBy - clock.now(), record.row.owner)
  } catch (thrown) {
    throw fail(thrown)
  }
  if (!signal.aborted) return
  queue.leave()
  throw signal.reason
}
