import type { RawDelta } from '../../src/core/model/call.ts'
import type { Sent } from '../../src/core/model/ports.ts'

/** What an upstream sent, burst by burst, also where it promised one alone. */
export async function* sentBursts(sent: Sent): AsyncGenerator<readonly RawDelta[], void, void> {
  if ('then' in sent) yield await sent
  else yield* sent
}
