import type { Provider } from './base/provider.ts'
import { baseten } from './baseten/baseten.ts'
import { openaiCompatible } from './openai/openai-compatible.ts'
import { pandotate } from './pandotate/pandotate.ts'
import { runpod } from './runpod/runpod.ts'
import { simulator } from './simulator.ts'
import { together } from './together/together.ts'

/** All kinds of upstreams. */
export const providers: readonly Provider[] = [
  pandotate,
  together,
  baseten,
  runpod,
  openaiCompatible,
  simulator,
]
